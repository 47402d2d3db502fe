"""`siaga check` in values: the states of devices and their open alerts come to one verdict and one line. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from siaga.text import safe

_ORDER = ("ok", "warning", "critical", "unknown")  # as Nagios counts: 0 to 3
_OF_STATE = {
    "up": "ok",
    "maintenance": "ok",
    "degraded": "warning",
    "flapping": "warning",
    "unreachable": "critical",
    "down": "critical",
    "not observed": "unknown",
}
_WORST_FIRST = ("critical", "warning", "unknown", "ok")
_NAMED = 10


@dataclass(frozen=True)
class Held:
    """What is believed of one device, and since when nobody has looked."""

    name: str
    state: str
    at: datetime | None
    reason: str = ""


@dataclass(frozen=True)
class Result:
    """The verdict of a check: `exit_code` for Nagios is its place in the order."""

    verdict: str
    text: str
    figures: tuple[tuple[str, int], ...]

    @property
    def nagios(self) -> tuple[str, int]:
        """Return the line of a Nagios plugin, with performance data, and its exit code."""
        data = " ".join(f"{name}={number};;;0" for name, number in self.figures)
        line = f"SIAGA {self.verdict.upper()} - {safe(self.text.replace('|', '/'), 1000)}"
        return f"{line} | {data}", _ORDER.index(self.verdict)


def result(
    devices: Sequence[Held], alerts: Iterable[tuple[str, str]], now: datetime, max_age_s: float
) -> Result:
    """Return the verdict. `alerts` are (severity, text) of what is open; what is older than `max_age_s` is unknown."""
    oldest = now - timedelta(seconds=max_age_s)
    states = [(d, d.state if d.at is not None and d.at >= oldest else "not observed") for d in devices]
    opened = list(alerts)
    counts = Counter(state for _, state in states)
    found = [_OF_STATE.get(state, "unknown") for _, state in states] + [severity for severity, _ in opened]
    verdict = next((v for v in _WORST_FIRST if v in found), "unknown" if not devices else "ok")
    wrong = [f"{d.name} {state}" for d, state in states if _OF_STATE.get(state) != "ok"]
    told = [text.rstrip(".") for _, text in opened if not any(text.startswith(d.name) for d, _ in states)]
    named = [*wrong, *told]
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    text = _counted(counts, len(devices))
    if named:
        text += f"; {', '.join(named[:_NAMED])}{more}"
    figures = [(state.replace(" ", "_"), counts[state]) for state in _OF_STATE]
    return Result(verdict, text, (*figures, ("alerts", len(opened))))


def _counted(counts: Mapping[str, int], number: int) -> str:
    parts = ", ".join(f"{counts[state]} {state}" for state in _OF_STATE if counts.get(state))
    return f"{number} device{'' if number == 1 else 's'}{': ' + parts if parts else ''}"
