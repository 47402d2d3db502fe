"""A restore is guided: what would change is shown, and what to send is written; sending it is a plan's matter.

Devices that count a candidate configuration (Junos) or load a whole one (FortiOS, RouterOS) get the whole text; the
others get the lines that are missing and, negated, those that are too many, section by section. Whatever is negated by
guess is marked, for a person reads it before anything is applied.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

_NEGATION: Mapping[str, str] = {
    "cisco_ios": "no",
    "cisco_xe": "no",
    "cisco_nxos": "no",
    "cisco_s300": "no",
    "ruijie_os": "no",
    "aruba_aoscx": "no",
    "hp_procurve": "no",
    "zte_zxros": "no",
    "generic": "no",
    "huawei_vrp": "undo",
    "huawei_vrpv8": "undo",
    "hp_comware": "undo",
    "huawei_smartax": "undo",
}
# What has one value: a new one takes the place of the old, and it is taken away by its name alone.
_SINGLE = (
    "description", "hostname", "sysname", "name", "switchport mode", "switchport access vlan", "port link-type",
    "port default vlan", "port access vlan", "vlan access", "ip default-gateway", "snmp-server location",
    "snmp-server contact", "snmp-agent sys-info location", "snmp-agent sys-info contact", "transport input",
    "exec-timeout", "enable secret", "logging buffered",
)  # fmt: skip
_SETS = ("juniper_junos", "ubiquiti_edgerouter", "vyos")
_LEAVE: Mapping[str, str] = {"undo": "quit", "no": "exit"}


@dataclass(frozen=True)
class Restore:
    """What a plan applies to give a device an earlier configuration back.

    `kind`: commands (said one by one in configuration mode), or whole (loaded as a file, which replaces). `lines` hold
    secrets; `shown` is the scrubbed difference from now to then.
    """

    device_id: int
    device: str
    kind: str
    lines: tuple[str, ...] = field(repr=False)
    shown: tuple[str, ...] = ()


@dataclass
class Section:
    """A line and the lines below it."""

    line: str
    below: "list[Section]" = field(default_factory=list)


def commands(driver: str, now: Sequence[str], then: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return the kind of restore for netmiko's device type, and the lines that lead from `now` to `then`."""
    if driver in _SETS:
        return "commands", tuple(_set_lines(now, then))
    word = _NEGATION.get(driver)
    if word is None:
        return "whole", tuple(then)
    return "commands", tuple(_between(_tree(now), _tree(then), word))


def _set_lines(now: Sequence[str], then: Sequence[str]) -> Iterator[str]:
    before, after = ({line for line in lines if line.startswith("set ")} for lines in (now, then))
    yield from (f"delete {line.removeprefix('set ')}" for line in now if line in before - after)
    yield from (line for line in then if line in after - before)


def _tree(lines: Sequence[str]) -> list[Section]:
    top = Section("")
    stack: list[tuple[int, Section]] = [(-1, top)]
    for line in lines:
        bare = line.strip()
        if not bare or bare in ("!", "#", "end", "return", "exit", "quit"):
            continue
        deep = len(line) - len(line.lstrip(" "))
        while stack[-1][0] >= deep:
            stack.pop()
        section = Section(bare)
        stack[-1][1].below.append(section)
        stack.append((deep, section))
    return top.below


def _between(now: Sequence[Section], then: Sequence[Section], word: str) -> Iterator[str]:
    """Yield what takes away first, then what adds, entering each section once."""
    had = {s.line: s for s in now}
    has = {s.line: s for s in then}
    replaced = {single(line) for line in has if single(line)}
    for section in now:
        if section.line not in has and single(section.line) not in replaced:
            yield negated(section.line, word)
    for section in then:
        before = had.get(section.line)
        inner = list(_between(before.below if before else (), section.below, word))
        if before is None and not section.below:
            yield section.line
        elif inner or before is None:
            yield section.line
            yield from inner
            yield _LEAVE[word]


def single(line: str) -> str:
    """Return the name of what has one value, if the line sets such a thing, else ''."""
    return next((name for name in _SINGLE if line.startswith(f"{name} ")), "")


def negated(line: str, word: str) -> str:
    """Return the line that takes a line away: `no shutdown` for `shutdown`, and the other way round."""
    return line.removeprefix(f"{word} ") if line.startswith(f"{word} ") else f"{word} {single(line) or line}"
