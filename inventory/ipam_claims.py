"""What is free next: a prefix in a prefix, an address in a prefix, a VLAN id in a group; found, or found and claimed.

To claim is to write the row in the transaction in which it was found free. That transaction holds the write lock
from its first statement (see store.session), so two processes that ask at once are given two different answers.
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from inventory import addressing, ipam, ipam_space
from inventory.ipam_overlap import table
from inventory.ipam_space import BITS, Block
from inventory.models_ipam import Vlan, VlanGroup
from inventory.writing import Diff, Writer
from siaga.errors import InvalidError, NotFoundError, UsageError

# VLAN 1 is every switch's default; 1002 to 1005 cannot be made on Catalyst switches (token ring and FDDI).
NEVER_GIVEN = frozenset({1, *range(1002, 1006)})
Found = Mapping[str, Any]  # the values that the row begins with, by operator names


def claim(writer: Writer, noun: str, found: Sequence[Found], values: Mapping[str, str]) -> list[Diff]:
    """Write what was found free in this same transaction, with further values by operator names.

    Raises UsageError (`bad-claim`), and BadRowError for values that cannot be.
    """
    mixed = [k for k in values if k in found[0]]
    if mixed:
        raise UsageError(
            "bad-claim", f"'{mixed[0]}' is what siaga finds: a claim says only what else the row is."
        )
    if noun == "vlan" and "name" not in values:
        raise UsageError("bad-claim", "A VLAN needs a name: add name=NAME.")
    whole = _with_port(values)
    diffs = [writer.put(noun, {**given, **whole}, mode="add") for given in found]
    writer.flush()
    return diffs


def _with_port(values: Mapping[str, str]) -> dict[str, str]:
    """Return the values with an interface named in full, when it was named beside its device."""
    port, device = values.get("interface", ""), values.get("device", "")
    if port and device and not port.startswith(f"{device}:"):
        return {**values, "interface": f"{device}:{port}"}
    return dict(values)


def next_prefixes(session: Session, parent: Block, length: int, count: int = 1) -> list[Found]:
    """Return the lowest free prefixes of `length` within a recorded one.

    Raises InvalidError (`bad-length`, `prefix-not-usable`, `prefix-full`).
    """
    bits = BITS[parent.family]
    if not parent.length < length <= bits:
        span = f"a length from {parent.length + 1} to {bits}" if parent.length < bits else "no room"
        raise InvalidError("bad-length", f"A prefix within {parent.name} has {span}, not {length}.")
    if parent.status == "deprecated":
        raise InvalidError("prefix-not-usable", f"No part of {parent.name} can be given: it is deprecated.")
    step = ipam.step(parent, length)
    found = list(islice(ipam_space.starts(ipam.free(session, _whole(parent), step), step), count))
    if len(found) < count:
        raise InvalidError("prefix-full", _no_block(session, parent, length, len(found)))
    names = [str(ipam_space.network(first, length, parent.family)) for first in found]
    return [_in_vrf(parent, name) for name in names]


def _whole(block: Block) -> Block:
    """Return the block with all its addresses: a child may begin with its parent's network address."""
    return replace(block, pool=True)


def _no_block(session: Session, parent: Block, length: int, found: int) -> str:
    free = ipam.free(session, _whole(parent))
    sizes = (n.prefixlen for n in chain.from_iterable(ipam_space.networks(i, parent.family) for i in free))
    largest = min(sizes, default=0)
    left = f"the largest free block is a /{largest}" if largest else "nothing of it is free"
    if found:
        return f"{parent.name} has only {found} free /{length} left; nothing was given."
    return f"{parent.name} has no free /{length}: {left}."


def next_addresses(session: Session, block: Block, count: int = 1) -> list[Found]:
    """Return the lowest free addresses of a recorded prefix.

    Raises InvalidError (`prefix-not-usable`, `prefix-full`).
    """
    if block.status != "active":
        container = block.status == "container"
        what = (
            "a container: ask one of the prefixes within it" if container else f"{block.status}, not active"
        )
        raise InvalidError("prefix-not-usable", f"No address of {block.name} can be given: it is {what}.")
    found = list(islice(ipam_space.singles(ipam.free(session, block)), count))
    if len(found) < count:
        use = ipam.use(session, block)
        left = f"only {len(found)} free addresses left" if found else "no free address"
        raise InvalidError(
            "prefix-full", f"{block.name} has {left}: {use.used} of {use.usable} usable ones are spoken for."
        )
    texts = [str(addressing.ip(addressing.digits(a), block.family)) for a in found]
    return [{**_in_vrf(block, text), "length": block.length} for text in texts]


def free_rows(session: Session, block: Block) -> list[dict[str, Any]]:
    """Return what is free of a prefix: of a container the fewest prefixes, of any other spans of addresses."""
    spans = ipam.free(session, block)
    if block.status != "container":
        return [_span_row(block, span) for span in spans]
    blocks = chain.from_iterable(ipam_space.networks(span, block.family) for span in spans)
    return [_span_row(block, (int(n[0]), int(n[-1])), str(n)) for n in blocks]


def _span_row(block: Block, span: ipam_space.Interval, name: str = "") -> dict[str, Any]:
    first, last = (str(addressing.ip(addressing.digits(end), block.family)) for end in span)
    text = first if first == last else f"{first}-{last}"
    return {"free": name or text, "first": first, "last": last, "addresses": ipam_space.size(span)}


def _in_vrf(block: Block, text: str) -> dict[str, Any]:
    _, _, vrf = block.name.partition(" ")
    return {"name": f"{text} {vrf}", "vrf": vrf} if vrf else {"name": text}


def next_vlans(session: Session, group: str, count: int = 1) -> list[Found]:
    """Return the lowest free VLAN ids of a group.

    Raises NotFoundError (`no-such-vlan-group`), InvalidError (`group-full`).
    """
    c = table(VlanGroup).c
    row = session.execute(select(c.id, c.first_vid, c.last_vid).where(c.name == group)).first()
    if row is None:
        raise NotFoundError(
            "no-such-vlan-group", f"No VLAN group is called '{group}'.{_near(session, group)}"
        )
    v = table(Vlan).c
    taken = set(session.execute(select(v.vid).where(v.vlan_group_id == row.id)).scalars()) | NEVER_GIVEN
    free = [vid for vid in range(row.first_vid, row.last_vid + 1) if vid not in taken]
    if len(free) < count:
        left = f"only {len(free)} free VLAN ids" if free else "no free VLAN id"
        raise InvalidError("group-full", f"{group} has {left} from {row.first_vid} to {row.last_vid}.")
    return [{"vid": vid, "vlan_group": group} for vid in free[:count]]


def _near(session: Session, group: str) -> str:
    names = session.execute(select(table(VlanGroup).c.name)).scalars()
    near = difflib.get_close_matches(group, list(names), n=1)
    return f" Did you mean '{near[0]}'?" if near else ""
