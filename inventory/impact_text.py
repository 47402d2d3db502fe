"""An impact as one likes to read it at two in the morning: one line that says it all, then places as a tree."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from textwrap import wrap
from typing import Any

from inventory.impact_values import Application, Area, Impact, Loss, Survivor
from siaga.text import safe

SHOWN = 12  # names in one line; the rest is counted
LINES = 40  # lines of one section
WIDTH = 100


def headline(impact: Impact) -> str:
    """Return what a failure does, in one sentence."""
    cut = [*_cut(impact)]
    said = f"cuts off {', '.join(cut)}" if cut else "cuts nothing else off"
    return f"{'; '.join([said, *_less(impact)])}."


def _cut(impact: Impact) -> Iterator[str]:
    kecamatan = [p for p in impact.cut_off if p.kind == "kecamatan"]
    if kecamatan:
        yield f"{len(kecamatan)} kecamatan"
    yield from _other_places(impact, {p.name for p in kecamatan})
    for some, one, many in (
        ([a for a in impact.agencies if a.state == "down"], "agency", "agencies"),
        ([s for s in impact.services if s.state == "down"], "service", "services"),
        ([d for d in impact.devices if d.state == "cut-off"], "device", "devices"),
    ):
        if some:
            yield counted(some, one, many)


def _other_places(impact: Impact, kecamatan: Set[str]) -> Iterator[str]:
    """Yield how many places are cut off outside those kecamatan, and in how many kecamatan they lie."""
    places = {p.name: p for p in impact.places}
    lost = {p.name for p in impact.cut_off}
    others = [p for p in impact.cut_off if p.kind != "kecamatan" and p.inside not in lost]
    around = {k for p in others for k in _kecamatan_of(places, p)} - kecamatan
    if others:
        other = "other " * bool(kecamatan)
        where = f" in {len(around)} kecamatan" if around else ""
        yield f"{len(others)} {other}{'place' if len(others) == 1 else 'places'}{where}"


def _kecamatan_of(places: Mapping[str, Area], place: Area) -> Iterator[str]:
    at, left = places.get(place.inside), 64
    while at is not None and left:
        if at.kind == "kecamatan":
            yield at.name
        at, left = places.get(at.inside), left - 1


def _less(impact: Impact) -> Iterator[str]:
    partly = [a for a in impact.agencies if a.state == "partly"]
    degraded = [s for s in impact.services if s.state == "degraded"]
    agencies = [a for a in impact.agencies if a.state == "on-backup"]
    services = [s for s in impact.services if s.state == "on-backup"]
    if partly:
        yield f"{counted(partly, 'agency loses', 'agencies lose')} a part"
    if degraded:
        yield f"{counted(degraded, 'service is', 'services are')} degraded"
    going = [counted(agencies, "agency", "agencies")] * bool(agencies)
    going += [counted(services, "service", "services")] * bool(services)
    if not going and impact.on_backup:
        going = [counted(impact.on_backup, "device", "devices")]
    if going:
        one = len(agencies) + len(services) == 1 or (
            not agencies and not services and len(impact.on_backup) == 1
        )
        yield f"{' and '.join(going)} {'keeps' if one else 'keep'} going on backup"
    if impact.no_longer_redundant:
        some = impact.no_longer_redundant
        yield f"{counted(some, 'device is', 'devices are')} no longer redundant"


def counted(some: Sequence[Any], one: str, many: str) -> str:
    """Return how many there are, in words."""
    return f"{len(some)} {one if len(some) == 1 else many}"


def text(impact: Impact, what: Sequence[str] = (), *, paths: bool = False) -> str:
    """Return the whole impact as lines; `what` is what was asked for, in the asker's words.

    `paths` shows the way there was, and the one that is left.
    """
    asked = what or impact.failed
    together = "fail, they" if len(asked) > 1 else "fails, it"
    said = headline(impact) if len(asked) < 2 else headline(impact).replace("cuts ", "cut ", 1)
    lines = [f"If {safe(_listed(asked, 'and'), 200)} {together} {said}", *_facts(impact), ""]
    for title, section in (
        ("DOWN", [*_tree(impact, paths)]),
        ("AGENCIES", [*_by_state(impact.agencies)]),
        ("SERVICES", [*_by_reason(impact.services)]),
        ("ON BACKUP", [line for s in impact.on_backup for line in _survivor(s, paths)]),
        ("NO LONGER REDUNDANT", _headed("", impact.no_longer_redundant)),
        ("CAREFUL", [safe(sentence, 300) for sentence in impact.careful]),
        ("WAYS OUT", [*_exits(impact)]),
        ("TELL", [*_people(impact)]),
        ("NOT KNOWN", [*_unknown(impact)]),
    ):
        if section:
            lines += [title, *(f"  {line}" for line in _cut_short(section)), ""]
    return "\n".join(lines).rstrip() + "\n"


def _facts(impact: Impact) -> Iterator[str]:
    if impact.population:
        yield f"{impact.population:,} people live in the places cut off."
    if impact.priority_1:
        yield f"Of first priority: {_names(impact.priority_1)}."
    if len(impact.roots) == 1 and impact.roots[0] in {d.name for d in impact.devices}:
        yield "It is the only root: everything is reached through it."


def _cut_short(section: Sequence[str]) -> Sequence[str]:
    if len(section) <= LINES + 1:
        return section
    return [*section[:LINES], f"… {len(section) - LINES} more lines: -o json has them all"]


def _names(some: Sequence[str]) -> str:
    more = f" and {len(some) - SHOWN} more" if len(some) > SHOWN else ""
    return ", ".join(map(safe, some[:SHOWN])) + more


def _listed(some: Sequence[str], word: str) -> str:
    if len(some) > 4:
        return f"{', '.join(some[:3])} {word} {len(some) - 3} more"
    return f" {word} ".join([", ".join(some[:-1]), some[-1]] if len(some) > 1 else some) or "nothing"


# --- places and devices ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Tree:
    """What lies in which place, by the place's name; '' is outside all."""

    places: Mapping[str, Sequence[Area]]
    devices: Mapping[str, Sequence[Loss]]
    paths: bool

    def lines(self, at: str) -> Iterator[str]:
        """Yield the lines of what lies in one place: its devices first, then the places in it."""
        blocks = [[line] for line in self.own(at)] + [[*self.place(p)] for p in self.places.get(at, ())]
        for number, block in enumerate(blocks):
            last = number == len(blocks) - 1
            first, stem = (("└─ ", "   ") if last else ("├─ ", "│  ")) if at else ("", "")
            yield from (f"{stem if n else first}{line}" for n, line in enumerate(block))

    def place(self, place: Area) -> Iterator[str]:
        """Yield the lines of one place; places that hold one place and nothing else share its line."""
        names = [safe(place.name)]
        while len(self.places.get(place.name, ())) == 1 and not self.devices.get(place.name):
            if place.state == "down":
                break
            place = self.places[place.name][0]
            names.append(safe(place.name))
        head, own = f"{' › '.join(names)}: {_facts_of(place)}", self.own(place.name)
        if not self.places.get(place.name) and len(own) == 1 and not self.paths:
            yield f"{head}: {own[0]}"
        else:
            yield head
            yield from self.lines(place.name)

    def own(self, at: str) -> list[str]:
        """Return the devices of a place: four to a line, or each with the way there was."""
        here = self.devices.get(at, ())
        if self.paths:
            return [f"{_device(d, at)} {_way('was', d.path)}".rstrip() for d in here]
        texts = [_device(d, at) for d in here]
        return [", ".join(texts[n : n + 4]) for n in range(0, len(texts), 4)]


def _tree(impact: Impact, paths: bool) -> Iterator[str]:
    """Yield the places touched as a tree; the worst and the first to be mended stand first."""
    places: dict[str, list[Area]] = {}
    whole = {p.name for p in impact.places if p.kind == "regency" and p.state == "partly"}
    for place in sorted(impact.places, key=lambda p: (p.state != "down", p.priority or 9, p.name)):
        if place.name not in whole:  # "the regency, partly" says nothing
            places.setdefault("" if place.inside in whole else place.inside, []).append(place)
    devices: dict[str, list[Loss]] = {}
    for device in impact.devices:
        devices.setdefault("" if device.inside in whole else device.inside, []).append(device)
    yield from _Tree(places, devices, paths).lines("")


def _device(device: Loss, at: str) -> str:
    room = f" in {device.place}" if device.place not in ("", at) else ""
    return safe(f"{device.name} ({device.role}{room}{', failed' if device.state == 'failed' else ''})")


def _facts_of(place: Area) -> str:
    facts = [place.kind, "cut off" if place.state == "down" else "partly"]
    facts += ["PRIORITY 1"] * (place.priority == 1)
    if place.population and place.state == "down":
        facts.append(f"{place.population:,} people")
    return ", ".join(facts)


def _way(word: str, path: Sequence[str]) -> str:
    """Return a way as names: nodes by themselves, the lines between them in brackets."""
    parts = [safe(name) if n % 2 == 0 else f"–[{safe(name)}]–" for n, name in enumerate(path)]
    return f"{word}: {' '.join(parts)}" if parts else ""


def _survivor(one: Survivor, paths: bool) -> Iterator[str]:
    place = f", {safe(one.place)}" if one.place else ""
    left = "" if one.redundant else "; nothing to fall back on after this"
    doubts = f"; CAREFUL: {', '.join(map(safe, one.doubts))}" if one.doubts else ""
    yield f"{safe(one.name)} ({one.role}{place}){left}{doubts}"
    if paths:
        yield f"  {_way('was', one.path_before)}"
        yield f"  {_way('now', one.path)}"


# --- the rest --------------------------------------------------------------------------------------------


def _by_state(agencies: Sequence[Any]) -> Iterator[str]:
    for state in ("down", "partly", "on-backup"):
        some = [a.name for a in agencies if a.state == state]
        yield from _headed(f"{state}: ", some) if some else ()


def _by_reason(services: Sequence[Application]) -> Iterator[str]:
    """Yield the services, those that one and the same thing takes down together."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for one in services:
        reasons.setdefault((one.state, one.because), []).append(one.name)
    for (state, because), some in reasons.items():
        yield from _headed(f"{state} ({safe(because)}): ", some)


def _headed(head: str, names: Sequence[str]) -> list[str]:
    text = ", ".join(map(safe, names))
    return wrap(text, WIDTH, initial_indent=head, subsequent_indent="  ", break_on_hyphens=False)


def _exits(impact: Impact) -> Iterator[str]:
    if impact.exits_lost:
        yield f"lost: {_names(impact.exits_lost)}"
        left = _names(impact.exits_left)
        yield f"left: {left}" if left else "left: NONE, nobody reaches the internet"


def _people(impact: Impact) -> Iterator[str]:
    for one in impact.people:
        ways = [w for w in (one.phone, one.telegram, one.email) if w]
        call = ", on call" if one.on_call else ""
        hours = f" ({safe(one.on_duty)})" if one.on_duty else ""
        parts = [f"{role} of {noun} {name}" for role, noun, name in one.parts]
        yield f"{safe(one.name)}{call}{hours}: {', '.join(map(safe, ways)) or 'no number recorded'}"
        yield f"  {_names(parts[:3])}" + (f" and {len(parts) - 3} more" if len(parts) > 3 else "")


def _unknown(impact: Impact) -> Iterator[str]:
    unknown = impact.unknown
    if unknown.devices_not_reached:
        some = ", ".join(map(safe, unknown.names[:5]))
        more = ", …" if unknown.devices_not_reached > 5 else ""
        are = "device is" if unknown.devices_not_reached == 1 else "devices are"
        yield f"{unknown.devices_not_reached} {are} not known to be connected ({some}{more}): nothing is said of them"
    if unknown.links_without_end:
        have = "link has" if unknown.links_without_end == 1 else "links have"
        yield f"{unknown.links_without_end} {have} an end that is not recorded, and count as no way"


def as_row(impact: Impact) -> dict[str, Any]:
    """Return the impact as one object for JSON and YAML; its keys are a promise."""
    row = asdict(impact)
    for person in row["people"]:
        person["parts"] = [dict(zip(("role", "noun", "name"), p, strict=True)) for p in person["parts"]]
    return {"headline": headline(impact), **row, "priority_1": list(impact.priority_1)}
