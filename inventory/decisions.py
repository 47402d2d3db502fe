"""What a person decides of a proposal: a new device, one that is there already, or none of ours."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from inventory import candidates, observed, traits
from inventory.identity import CERTAIN, Candidate, Kind, Verdict
from inventory.nouns import noun
from inventory.problems import BadRowError
from inventory.proposals import facts_of, observed_values
from inventory.store import in_parts
from inventory.traits import Facts
from inventory.writing import Writer

Types = Mapping[str, Collection[str]]
TAKE = ("address", "serial", "platform", "name", "device_type")


def question(row: Mapping[str, Any]) -> str:
    """Return what a proposal asks: 'new', 'perhaps' (one that is there), or 'address' (a device answers elsewhere)."""
    if row["device"] in (None, ""):
        return "new"
    return "address" if row["score"] >= CERTAIN else "perhaps"


def accept(writer: Writer, ids: Sequence[int], given: Mapping[str, str], *, new: bool = False) -> None:
    """Make a device of each proposal, or give the device its new address; `given` are more fields for each.

    One that may be a device that is there is taken as a `new` one only when told so, one that certainly is never.
    Raises BadRowError with every proposal that cannot be accepted.
    """
    rows = _open(writer, ids)
    fleet = candidates.load(writer.session, [facts_of(r["facts"]).traits for r in rows])
    known = types(writer)
    problems: list[tuple[str, str]] = []
    made: dict[str, str] = {}
    said: list[tuple[str, observed.Said]] = []
    for row in rows:
        _signed(writer, row)
        facts = facts_of(row["facts"])
        try:
            if question(row) == "address":
                writer.set("device", row["device_id"], {**_where(facts), **given})
                device_id = row["device_id"]
            else:
                _check_stranger(row, fleet.judge(facts.traits), new=new)
                device_id = _made(writer, row["name"], {**_creating(writer, facts, known), **given}, made)
                fleet.add(Candidate(device_id, writer.keys.label("device", device_id), facts.traits))
        except BadRowError as error:
            problems += [(field, f"{row['name']}: {sentence}") for field, sentence in error.problems]
            continue
        said.append((row["name"], _said(row, facts, device_id)))
        _decide(writer, row, "accepted", writer.keys.label("device", device_id))
    if problems:
        raise BadRowError(problems)
    writer.flush()
    for name, one in said:
        observed.keep(writer.session, [one], cause=f"proposal {name}")


def _made(writer: Writer, proposal: str, values: Mapping[str, str], made: dict[str, str]) -> int:
    """Add a device and return its id; `made` are those of this decision. A name that is taken says what to do."""
    name = values.get("name", "")
    if name in made:
        sentence = f"it is called '{name}' as {made[name]} is: accept them one by one, each with name=…"
        raise BadRowError([("name", sentence)])
    if writer.keys.find("device", name) is not None:
        ways = (
            f"'siaga proposal merge {proposal} {name}' if it is that one, else accept {proposal} with name=…"
        )
        raise BadRowError([("name", f"there is already a device called '{name}': {ways}")])
    device = writer.put("device", values, mode="add").name
    made[device] = proposal
    return writer.keys.find("device", device) or 0


def _said(row: Mapping[str, Any], facts: Facts, device_id: int) -> observed.Said:
    """Return what was seen of the box as an observation of the device, when and by what it was seen."""
    source = facts.transport or row["source"] or "proposal"
    return observed.Said(device_id, source, row["last_seen"], observed_values(facts))


def merge(writer: Writer, proposal_id: int, device_id: int, take: Sequence[str]) -> None:
    """Say that the box is this device: the fields to `take` become intended, all else is kept as observed.

    Raises BadRowError for a field of which nothing was seen.
    """
    (row,) = _open(writer, [proposal_id])
    _signed(writer, row)
    facts = facts_of(row["facts"])
    values = _intended(facts, types(writer))
    wanted: dict[str, str] = {}
    for field in take:
        if not values.get(field):
            sentence = (
                f"nothing was seen of {field}; {', '.join(f for f in TAKE if values.get(f))} can be taken"
            )
            raise BadRowError([(field, sentence)])
        wanted |= _where(facts) if field == "address" else {field: values[field]}
    if wanted:
        writer.set("device", device_id, wanted)
    seen = facts if "address" in take else replace(facts, address="")
    observed.keep(writer.session, [_said(row, seen, device_id)], cause=f"proposal {row['name']}")
    _decide(writer, row, "merged", writer.keys.label("device", device_id))


def reject(writer: Writer, ids: Sequence[int]) -> None:
    """Say that these are none of ours: they are asked again only when they change."""
    for row in _open(writer, ids):
        _signed(writer, row)
        _decide(writer, row, "rejected", row["device"] or "")


def _open(writer: Writer, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return the proposals as rows, with the device's name; raises BadRowError for those decided before."""
    c, device = noun("proposal").table.c, noun("device").table.c
    columns = (c.id, c.name, c.status, c.source, c.facts, c.score, c.last_seen, c.decided_by, c.device_id)
    query = select(*columns, device.name.label("device")).outerjoin(
        noun("device").table, device.id == c.device_id
    )
    found = [
        dict(row)
        for part in in_parts(ids)
        for row in writer.session.execute(query.where(c.id.in_(part)).order_by(c.id)).mappings()
    ]
    closed = [r for r in found if r["status"] != "open"]
    if closed:
        raise BadRowError(
            [("", f"{r['name']} was {r['status']} by {r['decided_by'] or '?'} before") for r in closed]
        )
    return found


def _signed(writer: Writer, row: Mapping[str, Any]) -> None:
    """Let what follows be recorded as done because of this proposal."""
    writer.author = replace(writer.author, cause=f"proposal {row['name']}")
    writer.chain.author = writer.author


def _decide(writer: Writer, row: Mapping[str, Any], status: str, device: str) -> None:
    values = {"name": row["name"], "status": status, "device": device}
    writer.put("proposal", values, mode="set", derived={"decided_by": writer.author.who})


def _check_stranger(row: Mapping[str, Any], verdict: Verdict, *, new: bool) -> None:
    """Raise BadRowError if the box is a device that is there, or may be one and nobody said that it is `new`."""
    there = verdict.candidate.name if verdict.candidate else row["device"]
    points = verdict.match.score if verdict.candidate else row["score"]
    merging = f"'siaga proposal merge {row['name']} {there}'"
    retired = verdict.candidate is not None and verdict.candidate.retired
    if verdict.kind is Kind.known and not retired:
        raise BadRowError([("", f"the box is {there} ({points} of 100): {merging}")])
    if there and not new:
        way = (
            f"{merging}, or accept it with --new if it is {'a new row for it' if retired else 'another box'}"
        )
        raise BadRowError([("", f"the box may be {there} ({points} of 100): {way}")])


def _creating(writer: Writer, facts: Facts, types: Types) -> dict[str, str]:
    """Return the fields of a new device."""
    by_ssh = facts.transport == "ssh"
    credential = facts.more.get("credential", "")
    kept = credential if credential and writer.keys.find("credential", credential) else ""
    login = {"ssh_credential" if by_ssh else "credential": kept}
    values = {**_intended(facts, types), **login, "transport": facts.transport or "none"}
    return {k: v for k, v in values.items() if v}


def _intended(facts: Facts, types: Types) -> dict[str, str]:
    """Return the fields of a device that the facts speak of; its type only where just one is that model."""
    fitting = types.get(traits.model(facts.model), ())
    return {
        "name": _name(facts),
        "serial": facts.serial if traits.serial(facts.serial) else "",
        "platform": facts.platform,
        "device_type": next(iter(fitting)) if len(fitting) == 1 else "",
        **_where(facts),
    }


def _where(facts: Facts) -> dict[str, str]:
    """Return the address, and the port of its transport where one was given."""
    ported = facts.port and facts.transport in ("snmp", "ssh")
    return {"address": facts.address, **({f"{facts.transport}_port": str(facts.port)} if ported else {})}


def _name(facts: Facts) -> str:
    """Return what a device would be called: its own name if it has one, else its platform and address."""
    if traits.name(facts.sysname):
        return re.sub(r"[^\w.-]+", "-", traits.host(facts.sysname)).strip("-.")
    return re.sub(r"[^\w-]+", "-", f"{facts.platform or 'device'}-{facts.address}")


def types(writer: Writer) -> Types:
    """Return normal model → the names of the device types that are it."""
    c = noun("device_type").table.c
    found: dict[str, set[str]] = {}
    for name, model, part in writer.session.execute(select(c.name, c.model, c.part_number)):
        for normal in filter(None, (traits.model(name), traits.model(model or ""), traits.model(part or ""))):
            found.setdefault(normal, set()).add(name)
    return found
