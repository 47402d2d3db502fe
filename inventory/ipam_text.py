"""How the prefix tree, one prefix and one address look on a terminal. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from siaga.clock import shown
from siaga.render import cell

BAR = 10
_HEAD = ("prefix", "used%", "", "addresses", "status", "role", "vlan", "place", "agency")


def findings(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return findings, one on a line, in full."""
    return columns([(row["kind"], cell(row["text"])) for row in rows])


def bar(pct: float) -> str:
    """Return a bar of ten cells; what is used at all shows at least half a one."""
    halves = min(2 * BAR, max(round(pct * BAR / 50), 1 if pct > 0 else 0))
    return ("█" * (halves // 2) + "▌" * (halves % 2)).ljust(BAR, "░")


def amount(number: int) -> str:
    """Return a number of addresses; what is beyond all counting is given as a power of two."""
    if number < 1 << 24:
        return str(number)
    power = number.bit_length() - 1 if number & (number - 1) == 0 else number.bit_length()
    return f"2^{power}" if abs((1 << power) - number) <= 2 else f"{number:.2e}"


def tree(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the tree, each prefix indented below its parent; every VRF has a heading of its own."""
    lines: list[tuple[str, ...]] = [_HEAD]
    before: str | None = None
    for row in rows:
        if row["vrf"] != before:
            lines.append((f"VRF {row['vrf']}", *[""] * (len(_HEAD) - 1)))
            before = row["vrf"]
        lines.append(_cells(row))
    return columns(lines)


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    status = f"{row['status']}, pool" if row["pool"] else str(row["status"])
    words = (cell(row[key]) for key in ("role", "vlan", "place", "agency"))
    spoken = f"{amount(row['used'])}/{amount(row['usable'])}"
    share = f"{row['used_pct']:.0f}%" if row["used_pct"] >= 1 or not row["used"] else "<1%"
    return (
        f"{'  ' * row['depth']}{row['prefix']}",
        share,
        bar(row["used_pct"]),
        spoken,
        status,
        *words,
    )


def columns(lines: Sequence[Sequence[str]]) -> str:
    """Return lines of cells under each other; what looks like a number stands on the right."""
    widths = [max(map(len, texts)) for texts in zip(*lines, strict=True)]
    laid = [
        "  ".join(_placed(text, width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    return "\n".join(laid)


def _placed(text: str, width: int) -> str:
    return text.rjust(width) if text.endswith("%") else text.ljust(width)


def prefix(row: Mapping[str, Any]) -> str:
    """Return one prefix with what is around and in it."""
    used = f"{row['used_pct']}%  {bar(row['used_pct'])}  {amount(row['used'])} of {amount(row['usable'])} addresses"
    facts = [
        ("prefix", row["name"]),
        ("status", f"{row['status']}{', pool' if row['pool'] else ''}"),
        ("used", used),
    ]
    facts += [("free", amount(row["free"]))]
    facts += [(key, row[key]) for key in ("role", "vlan", "place", "agency") if row[key]]
    facts += [("around", " > ".join(row["around"]))] if row["around"] else []
    lines = [f"{key:<10}{cell(value)}" for key, value in facts]
    lines += _section("prefixes", [(name,) for name in row["within"]])
    lines += _section("ranges", [(r["name"], r["status"]) for r in row["ranges"]])
    lines += _section("addresses", [_address(a) for a in row["addresses"]])
    return "\n".join([*lines, "  …"] if row["more_addresses"] else lines)


def _section(title: str, lines: Sequence[Sequence[Any]]) -> list[str]:
    if not lines:
        return []
    told = [[cell(value) for value in line] for line in lines]
    return ["", title, *(f"  {line}" for line in columns(told).split("\n"))]


def _address(row: Mapping[str, Any]) -> tuple[str, ...]:
    where = ":".join(filter(None, (row["device"], row["interface"]))) or row["agency"] or ""
    seen = f"seen {shown(row['seen_at'])} at {row['seen_mac'] or '?'}" if row["seen_at"] else "never seen"
    return row["name"], row["status"], where, row["dns_name"], seen


def _hangs(sighting: Mapping[str, Any]) -> str:
    """Return where the MAC hangs, in words; '' where no switch has told."""
    if not sighting["switch"]:
        return ""
    vlan = f" in VLAN {sighting['vlan']}" if sighting["vlan"] else ""
    how = "behind" if sighting["uplink"] else "at"
    return f"{how} {sighting['switch']}:{sighting['switch_port']}{vlan}"


def address(row: Mapping[str, Any]) -> str:
    """Return one address: its record, where it lies, and its sightings."""
    facts = [("address", row["address"]), ("vrf", row["vrf"]), ("around", " > ".join(row["around"]))]
    lines = [f"{key:<10}{cell(value)}" for key, value in facts if value]
    lines += (
        [f"{'recorded':<10}{'  '.join(filter(None, map(cell, _address(row['recorded']))))}"]
        if row["recorded"]
        else []
    )
    lines += [] if row["recorded"] else [f"{'recorded':<10}no"]
    lines += [f"{'managed':<10}{', '.join(map(cell, row['managed']))}"] if row["managed"] else []
    sightings = [
        (
            s["mac"],
            s["device"],
            s["port"],
            s["source"],
            f"{shown(s['first_seen'])} to {shown(s['last_seen'])}",
            _hangs(s),
        )
        for s in row["seen"]
    ]
    lines += _section("ranges", [(r["name"], r["status"]) for r in row["ranges"]])
    return "\n".join([*lines, *_section("seen", sightings)])
