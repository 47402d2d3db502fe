"""Linux: /proc and /sys read by one line of portable shell, without root and without an agent.

Processor load is the share of time each processor was not idle in the SAMPLE_S seconds between two readings
of /proc/stat (proc(5)); waiting for disks counts as idle. Memory used is MemTotal less MemAvailable. Octets
are the kernel's 64-bit counters of /proc/net/dev.
"""

import re
from collections.abc import Iterator, Mapping

from monitor.observation import Identity, Mempool, Port, Processor
from monitor.ssh_parse import PORTS, Found, Read, Reader, UnparsedError, bounded, mac, number
from siaga.text import safe

SAMPLE_S = 1

# It runs under the login shell's prompt, whatever shell that is: hence one word in single quotes, given to
# /bin/sh, without a single quote or `!` (csh) in it and shorter than a terminal's input line (4095 octets).
# The marks are written @"@" so that the terminal's echo of this line has no mark in it.
_SCRIPT = " ".join(
    f"""
exec 2>/dev/null; LC_ALL=C; export LC_ALL; m() {{ echo; echo @"@" $1; }};
m begin;
m host; cat /proc/sys/kernel/hostname; m kernel; uname -srm; m release; cat /etc/os-release;
m net; cat /proc/net/dev;
m links; for d in /sys/class/net/*; do [ -d "$d" ] || continue;
for f in ifindex ifalias address operstate speed type flags; do v=; read -r v <"$d/$f";
[ -n "$v" ] && echo "${{d##*/}} $f $v"; done; done;
m memory; grep -E "^Mem(Total|Available|Free):" /proc/meminfo;
m board; for f in sys_vendor product_name product_serial; do v=; read -r v </sys/class/dmi/id/$f;
[ -n "$v" ] && echo "$f $v"; done;
m model; tr -d "\\000" </proc/device-tree/model;
m before; grep "^cpu" /proc/stat; sleep {SAMPLE_S};
m after; grep "^cpu" /proc/stat; m uptime; cat /proc/uptime;
m end
""".split()
)
COMMAND = f"/bin/sh -c '{_SCRIPT}'"

# ARPHRD_* (linux/if_arp.h) to ifType (IANAifType-MIB), as net-snmp does.
_TYPES = {"1": 6, "32": 199, "512": 23, "768": 131, "769": 131, "772": 24, "776": 131, "778": 131, "801": 71}
# operstate (Documentation/networking/operstates.rst) to ifOperStatus. A driver that keeps no state says
# `unknown` (lo, tun), and the interface "must be considered" usable: up as long as it is switched on.
_STATES = {"notpresent": "notPresent", "lowerlayerdown": "lowerLayerDown"}
_IFF_UP = 0x1
_NET_LINE = re.compile(r"^\s*([^\s:]+):\s*(\d+(?:\s+\d+){15})\s*$")


def parse(text: str) -> Found:
    """Read the output of COMMAND; whatever sections are wanting or unreadable are named as missing.

    Raises UnparsedError if the marks are not there: no shell ran the line.
    """
    parts = sections(bounded(text))
    if "begin" not in parts or "end" not in parts:
        raise UnparsedError("is not what the shell should print; is this a Linux host?")
    if (system := _first(parts, "kernel").partition(" ")[0]) != "Linux":
        raise UnparsedError(f"found {safe(system, 40) or 'no kernel'} where Linux was expected")
    uptime_s, ports = _uptime_s(parts), tuple(_ports(parts))
    processors, mempools = tuple(_processors(parts)), tuple(_mempools(parts))
    told = {
        "/proc/uptime": uptime_s is not None,
        "/proc/net/dev": ports,
        "/proc/stat": processors,
        "/proc/meminfo": mempools,
    }
    missing = [name for name, value in told.items() if not value]
    # An interface without its ifindex cannot be kept: /sys of another network namespace, or none at all.
    if ports and len(ports) < min(PORTS, len(list(_counters(parts)))):
        missing.append("/sys/class/net of some interfaces")
    return Found(uptime_s, _identity(parts), ports, processors, mempools, tuple(missing))


def sections(text: str) -> dict[str, list[str]]:
    """Cut the output at its marks; what stands before the first one (message of the day, echo) is dropped."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        if line.startswith("@@ "):
            current = found.setdefault(line[3:].strip(), [])
        elif line:
            current.append(line)
    return found


def _uptime_s(parts: Mapping[str, list[str]]) -> float | None:
    found = re.match(r"\d{1,12}(\.\d{1,3})?(?=\s|$)", _first(parts, "uptime"))
    return float(found.group()) if found else None


def _identity(parts: Mapping[str, list[str]]) -> Identity:
    release = dict(line.partition("=")[::2] for line in parts.get("release", ()))
    board = dict(line.partition(" ")[::2] for line in parts.get("board", ()))
    host, kernel = _first(parts, "host"), _first(parts, "kernel")
    return Identity(
        sysName=safe(host),
        sysDescr=safe(kernel),
        os="linux",
        vendor=safe(board.get("sys_vendor", "")),
        hardware=safe(board.get("product_name", "") or _first(parts, "model")),
        version=safe(release.get("PRETTY_NAME", "").strip("\"'") or kernel),
        serial=safe(board.get("product_serial", "")),
    )


def _ports(parts: Mapping[str, list[str]]) -> Iterator[Port]:
    """Yield the interfaces of /proc/net/dev, by the kernel's own ifindex, with what /sys says of each."""
    links = _links(parts)
    rows = [(number(links.get(name, {}).get("ifindex")), name, counts) for name, counts in _counters(parts)]
    known = [(index, name, counts) for index, name, counts in rows if index]
    for index, name, counts in sorted(known, key=lambda row: row[0])[:PORTS]:
        yield _port(index, name, counts, links[name])


def _counters(parts: Mapping[str, list[str]]) -> Iterator[tuple[str, list[int | None]]]:
    """Yield each interface of /proc/net/dev with its 8 receive and 8 transmit columns."""
    for line in parts.get("net", ()):
        if found := _NET_LINE.match(line):
            yield found[1], list(map(number, found[2].split()))


def _links(parts: Mapping[str, list[str]]) -> dict[str, dict[str, str]]:
    links: dict[str, dict[str, str]] = {}
    for line in parts.get("links", ()):
        name, _, rest = line.partition(" ")
        key, _, value = rest.partition(" ")
        links.setdefault(name, {})[key] = value
    return links


def _port(index: int, name: str, counts: list[int | None], link: Mapping[str, str]) -> Port:
    """Return one interface from its columns and what /sys says of it."""
    switched_on = bool(_hex(link.get("flags", "")) & _IFF_UP)
    state = link.get("operstate", "unknown")
    speed = number(link.get("speed"))
    return Port(
        ifIndex=index,
        ifName=safe(name),
        ifDescr=safe(name),
        ifAlias=safe(link.get("ifalias", "")),
        ifType=_TYPES.get(link.get("type", ""), 1),
        speed_bps=speed * 1_000_000 if speed and speed < 2**32 - 1 else None,
        ifAdminStatus="up" if switched_on else "down",
        ifOperStatus=("up" if switched_on else "down") if state == "unknown" else _oper(state),
        in_octets=counts[0],
        in_errors=counts[2],
        in_discards=counts[3],
        out_octets=counts[8],
        out_errors=counts[10],
        out_discards=counts[11],
        octets_bits=64,
        mac=mac(link.get("address", "")),
    )


def _oper(state: str) -> str:
    return _STATES.get(state, state if state in ("up", "down", "testing", "dormant") else "unknown")


def _hex(text: str) -> int:
    return int(text, 16) if re.fullmatch(r"0x[0-9a-f]{1,8}", text) else 0


def _processors(parts: Mapping[str, list[str]]) -> Iterator[Processor]:
    """Yield each processor's load between the two readings; one that was off in either is left out."""
    before, after = _ticks(parts.get("before", ())), _ticks(parts.get("after", ()))
    for name in sorted(after.keys() & before.keys(), key=lambda cpu: int(cpu[3:])):
        idle, total = (new - old for new, old in zip(after[name], before[name], strict=True))
        if total > 0:
            percent = 100.0 * (total - idle) / total
            yield Processor(name, round(min(100.0, max(0.0, percent)), 1))


def _ticks(lines: list[str] | tuple[str, ...]) -> dict[str, tuple[int, int]]:
    """Return idle and total ticks per `cpuN`. Guest time is left out, for it is part of user time."""
    found = {}
    for line in lines:
        name, *columns = line.split()
        ticks = [number(column) for column in columns[:8]]
        if re.fullmatch(r"cpu\d{1,4}", name) and len(ticks) >= 4 and None not in ticks:
            whole = [tick or 0 for tick in ticks]
            found[name] = (whole[3] + (whole[4] if len(whole) > 4 else 0), sum(whole))
    return found


def _mempools(parts: Mapping[str, list[str]]) -> Iterator[Mempool]:
    """Yield the host's memory in bytes; kernels before 3.14 have no MemAvailable, MemFree stands in then."""
    rows = (re.match(r"Mem(\w+):\s+(\d{1,15}) kB", line) for line in parts.get("memory", ()))
    values = {row[1]: int(row[2]) * 1024 for row in rows if row}
    total, free = values.get("Total"), values.get("Available", values.get("Free"))
    if total and free is not None:
        used = max(0, total - free)
        yield Mempool("Memory", round(100.0 * used / total, 1), total, used)


def _first(parts: Mapping[str, list[str]], name: str) -> str:
    return next(iter(parts.get(name, ())), "")


READER = Reader(
    "linux",
    (Read(COMMAND, parse, until=r"(?m:^@@ end)", title="reading /proc"),),
    serves=("linux",),
    prompt=False,
)
