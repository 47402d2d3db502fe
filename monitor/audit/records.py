"""What the records themselves say is over, behind, or not known: no packet is sent for it. Pure."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from inventory.findings import Judged, Key, Verdict
from monitor.audit.judge import SOURCE

_FEW = 3  # devices of one model and platform, from which on most of them say what is usual
_OLD_PARTS = 6


@dataclass(frozen=True)
class Box:
    """A device as the records have it: what it is, until when it is cared for, what it runs."""

    device_id: int
    name: str
    platform: str = ""
    model: str = ""
    type_name: str = ""
    eos: date | None = None
    eol: date | None = None
    version: str = ""
    seen_at: datetime | None = None


@dataclass(frozen=True)
class Login:
    """An account as recorded. `third_party`: of a provider, or of a person who is a provider's."""

    name: str
    device_id: int | None
    third_party: bool
    expires: date | None
    whose: str = ""


def end_of_life(boxes: Iterable[Box], today: date) -> Iterator[Judged]:
    """Yield for each device whose type has such dates whether it is still sold and still cared for."""
    for box in boxes:
        yield _dated(
            box, "device-eol", "high", "Its maker no longer cares for it", "end of life", box.eol, today
        )
        yield _dated(box, "device-eos", "low", "Its maker no longer sells it", "end of sale", box.eos, today)


def _dated(
    box: Box, check: str, severity: str, title: str, word: str, end: date | None, today: date
) -> Judged:
    key = Key(SOURCE, check, box.device_id)
    if end is None or end >= today:
        return Judged(key, Verdict.none if end is None else Verdict.met)
    told = f"{box.type_name}: {word} was {end:%Y-%m-%d}"
    return Judged(key, Verdict.broken, severity, f"{title} since {end:%Y-%m-%d}.", told, "33(1)c", (told,))


def firmware(boxes: Iterable[Box]) -> Iterator[Judged]:
    """Yield for each device whether its version is older than the one that most of its like run."""
    like: defaultdict[tuple[str, str], list[Box]] = defaultdict(list)
    for box in boxes:
        if box.platform and box.version:
            like[box.platform, box.model].append(box)
    for group in like.values():
        usual = _usual(group)
        for box in group:
            yield _behind(box, usual, len(group))


def _usual(group: Sequence[Box]) -> str:
    """Return the version that most run, of several the newest; '' where there are too few to say."""
    if len(group) < _FEW:
        return ""
    counts = Counter(b.version for b in group)
    return max(counts, key=lambda v: (counts[v], _ordered(v)))


def _ordered(version: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d{1,9}", version[:80])[:_OLD_PARTS])


def _behind(box: Box, usual: str, number: int) -> Judged:
    key = Key(SOURCE, "firmware-behind", box.device_id)
    if not usual or _ordered(box.version) >= _ordered(usual):
        return Judged(key, Verdict.met if usual else Verdict.none)
    told = f"{box.version}, and most of {number} such devices run {usual}"
    title = "Its firmware is older than that of its like."
    return Judged(key, Verdict.broken, "medium", title, told, "33(1)c", (told,), box.seen_at)


def accounts(logins: Iterable[Login], today: date) -> Iterator[Judged]:
    """Yield for each account of a third party whether it is over, and whether it ends at all."""
    for one in logins:
        over, endless = (
            Key(SOURCE, check, one.device_id, f"account {one.name}")
            for check in ("account-expired", "account-no-end")
        )
        if not one.third_party:
            yield from (Judged(k, Verdict.none) for k in (over, endless))
            continue
        whose = f"account {one.name} of {one.whose}" if one.whose else f"account {one.name}"
        past = one.expires is not None and one.expires < today
        told = (f"{whose}, until {one.expires}",)
        title = f"The account of a third party is past its date ({one.expires})."
        yield Judged(over, Verdict.broken if past else Verdict.met, "high", title, told[0], "33(2)c", told)
        lasting = "The account of a third party has no end."
        verdict = Verdict.broken if one.expires is None else Verdict.met
        yield Judged(endless, verdict, "low", lasting, whose, "33(2)c", (whose,))


def proposals(found: Iterable[tuple[str, Mapping[str, str], datetime]]) -> Iterator[Judged]:
    """Yield a finding for each box that was found and that nobody has recorded: name, facts, last seen."""
    for name, facts, seen_at in found:
        told = ", ".join(
            f"{k} {facts[k]}" for k in ("sysname", "address", "model", "serial", "base_mac") if facts.get(k)
        )
        title = "A device was seen that nobody recorded."
        key = Key(SOURCE, "device-not-recorded", None, f"proposal {name}")
        yield Judged(key, Verdict.broken, "medium", title, told, "33(1)b", (told,), seen_at)


def strangers(found: Iterable[Mapping[str, object]]) -> Iterator[Judged]:
    """Yield a finding for each prefix with addresses that are in use and not recorded, DHCP pools apart."""
    by_prefix: defaultdict[str, list[str]] = defaultdict(list)
    for row in found:
        if not row["dhcp"]:
            by_prefix[str(row["prefix"] or "no recorded prefix")].append(f"{row['address']} ({row['mac']})")
    for prefix, seen in by_prefix.items():
        key = Key(SOURCE, "addresses-not-recorded", None, f"prefix {prefix}")
        title = f"{len(seen)} addresses in {prefix} are in use that nobody recorded."
        yield Judged(key, Verdict.broken, "low", title, ", ".join(seen[:3]), "33(1)b", tuple(seen))
