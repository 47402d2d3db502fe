"""Whether a device is after a change as it was before: two looks are compared. Pure, and three-valued.

What was not observed before proves nothing afterwards; what was up and is not up any more is worse, also where it is
only silent, for somebody who has just changed it must not take silence for health.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from infra.around import Look, Seen


@dataclass(frozen=True)
class _Unseen:
    state: str = "not observed"
    reason: str = ""
    neighbours: frozenset[str] | None = None


_UNSEEN: Seen = _Unseen()


@dataclass(frozen=True)
class Verdict:
    """What became of a host: `worse` says in phrases what is no longer as it was, `unseen` what nobody could see."""

    worse: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Nothing is known to be worse."""
        return not self.worse

    def __str__(self) -> str:
        if self.worse:
            return "; ".join(self.worse)
        return f"not observed: {', '.join(self.unseen)}" if self.unseen else "as before"


def compared(
    host: str,
    beside: Iterable[str],
    services: Iterable[str],
    before: Look,
    after: Look,
    checks: Sequence[str],
) -> Verdict:
    """Return how a host, the devices beside it and the services on it are, against how they were."""
    worse: list[str] = []
    unseen: list[str] = []
    if "reachable" in checks:
        worse += _lost("", [host], before.devices, after.devices)
        unseen += [host] if before.devices.get(host, _UNSEEN).state != "up" else []
    if "neighbours" in checks:
        worse += _lost("", beside, before.devices, after.devices)
        worse += _quiet(before.devices.get(host, _UNSEEN), after.devices.get(host, _UNSEEN))
    if "services" in checks:
        worse += _lost("service ", services, before.services, after.services)
    return Verdict(tuple(worse), tuple(unseen))


def _lost(
    kind: str, names: Iterable[str], before: Mapping[str, Seen], after: Mapping[str, Seen]
) -> Iterator[str]:
    for name in names:
        now = after.get(name, _UNSEEN)
        if before.get(name, _UNSEEN).state == "up" and now.state != "up":
            yield f"{kind}{name} was up and is {now.state}" + (f" ({now.reason})" if now.reason else "")


def _quiet(before: Seen, after: Seen) -> Iterator[str]:
    """Yield the neighbours that a device heard before and hears no longer."""
    if before.neighbours is not None and after.neighbours is not None:
        gone = sorted(before.neighbours - after.neighbours)
        if gone:
            yield f"it no longer hears {', '.join(gone)}"


def not_ready(host: str, look: Look, checks: Sequence[str]) -> str:
    """Return why a host must not be touched now, or ''."""
    seen = look.devices.get(host, _UNSEEN)
    if "reachable" in checks and seen.state not in ("up", "not observed"):
        return f"the monitor finds it {seen.state}{f': {seen.reason}' if seen.reason else ''}"
    return ""
