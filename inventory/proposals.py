"""Proposals: what was found and is not recorded so. A box has one; a person accepts, merges or rejects it.

What is certainly a row becomes observed values of that row; all else becomes a question, never a row. A question
that was rejected is asked again only when the box itself has changed, or another row has come into question.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from inventory import candidates, observed
from inventory.candidates import Fleet
from inventory.history import Author
from inventory.identity import CERTAIN, Candidate, Kind, Match, Verdict, compare
from inventory.nouns import noun
from inventory.traits import Facts, Traits, colons, endpoint
from inventory.writing import Writer
from siaga.text import safe

# A box that answered at its own address within this time has two addresses; it was not moved.
FRESH = timedelta(hours=1)
SWEEP = "discover"  # the source of what a sweep found
_MACS_KEPT = 64
_ADDRESSES_KEPT = 64
_PLAIN = ("serial", "engine_id", "base_mac", "sysname", "address", "platform", "model", "transport")
_CHANGING = ("serials", "engines", "base_macs", "names", "platforms", "models")


@dataclass(frozen=True)
class Finding:
    """A box that was found. `asked`: the row at whose address it answered, where it is not that row's box."""

    facts: Facts
    asked: int | None = None


@dataclass(frozen=True)
class Proposed:
    """What came of a finding: the row it is or may be, and the proposal that asks, '' where nothing is to ask."""

    kind: Kind
    match: Match
    device: str = ""
    proposal: str = ""
    note: str = ""


def propose(session: Session, author: Author, facts: Facts, *, source: str) -> Proposed:
    """Take one finding; see `propose_all`."""
    return propose_all(session, author, [Finding(facts)], source=source)[0]


def propose_all(
    session: Session, author: Author, findings: Sequence[Finding], *, source: str
) -> list[Proposed]:
    """Take findings of one round; `source` says of which kind: propose, discover, poll. The session must write."""
    if not findings:
        return []
    fleet = candidates.load(session, [f.facts.traits for f in findings])
    desk = _Desk(Writer(session, author), source, fleet)
    return desk.all(findings)


def settle(session: Session, author: Author, known: Mapping[int, Traits]) -> None:
    """Close the open proposals whose box is meanwhile known as a row; `known` are boxes by device id."""
    desk = _Desk(Writer(session, author), "", Fleet())
    if desk.held.rows:
        desk.settle(known)
        desk.writer.finish()


def any_open(session: Session) -> bool:
    """Tell whether a proposal waits for an answer."""
    c = noun("proposal").table.c
    return session.execute(select(c.id).where(c.status == "open").limit(1)).first() is not None


def stored(facts: Facts) -> dict[str, str]:
    """Return facts as a proposal keeps them: texts by name, of many MACs the first."""
    plain = {**facts.more, **{name: getattr(facts, name) for name in _PLAIN}}
    plain["macs"] = " ".join(sorted(facts.macs)[:_MACS_KEPT])
    plain["port"] = str(facts.port or "")
    return {k: safe(v, 2000) for k, v in plain.items() if v}


def facts_of(kept: Mapping[str, str]) -> Facts:
    """Return the facts that a proposal keeps."""
    port = kept.get("port", "")
    return Facts(
        **{name: kept.get(name, "") for name in _PLAIN},
        macs=frozenset(kept.get("macs", "").split()),
        port=int(port) if port.isascii() and port.isdigit() else 0,
        more={k: v for k, v in kept.items() if k not in (*_PLAIN, "macs", "port")},
    )


def observed_values(facts: Facts) -> dict[str, str]:
    """Return what of the facts is kept as observed values of a device."""
    more = {k: facts.more.get(k, "") for k in ("vendor", "version", "description", "location")}
    own = {k: getattr(facts, k) for k in ("serial", "engine_id", "sysname", "address", "platform", "model")}
    return {**more, **own, "base_mac": colons(facts.base_mac)}


class _Desk:
    """One round of findings: the rows, the proposals that are open or were rejected, and what is to be written."""

    def __init__(self, writer: Writer, source: str, fleet: Fleet) -> None:
        self.writer, self.source, self.fleet = writer, source, fleet
        self.now = writer.author.now
        self.kind = noun("proposal")
        self.rows: dict[int, dict[str, Any]] = {}
        self.held = Fleet()
        self.said: list[observed.Said] = []
        self.there: dict[str, set[int | None]] = {}
        c = self.kind.table.c
        for row in writer.session.execute(
            select(self.kind.table).where(c.status.in_(("open", "rejected")))
        ).mappings():
            self._hold(dict(row))

    def all(self, findings: Sequence[Finding]) -> list[Proposed]:
        """Take all findings, then write."""
        verdicts = [self.fleet.judge(f.facts.traits) for f in findings]
        for finding, verdict in zip(findings, verdicts, strict=True):
            if (
                verdict.kind is Kind.known
                and verdict.candidate
                and _at_home(finding.facts, verdict.candidate)
            ):
                self.fleet.answered[verdict.candidate.id] = self.now
        self.there = _there(findings, verdicts)
        told = [self.take(f, v) for f, v in zip(findings, verdicts, strict=True)]
        known = {
            v.candidate.id: f.facts.traits
            for f, v in zip(findings, verdicts, strict=True)
            if v.kind is Kind.known and v.candidate
        }
        self.settle(known)
        observed.keep(self.writer.session, self.said, cause=self.writer.author.cause or self.source)
        self.writer.finish()
        return told

    def take(self, finding: Finding, verdict: Verdict) -> Proposed:
        """Return what comes of one finding; observed values of a row that is certain wait until the end."""
        row, match = verdict.candidate, verdict.match
        if verdict.kind is not Kind.known or row is None:
            return self._ask(finding, verdict)
        facts, note = finding.facts, ""
        if finding.asked is not None and finding.asked != row.id:
            note = f"answers at the address of {self.fleet.rows[finding.asked].name}"
        elif not _at_home(facts, row):
            seen = self.fleet.answered.get(row.id)
            if seen is not None and seen >= self.now - FRESH and not self._in_anothers_place(row):
                self._observe(row, replace(facts, address=""))
                return Proposed(Kind.known, match, row.name, note=f"also answers at {_where(facts)}")
            note = f"answers at {_where(facts)}"
        self._observe(row, facts)
        name = self._raised(facts, row, match.score, (note, *match.reasons)) if note else ""
        return Proposed(Kind.known, match, row.name, name, note)

    def _ask(self, finding: Finding, verdict: Verdict) -> Proposed:
        row, match, note = verdict.candidate, verdict.match, ""
        if finding.asked is not None:
            row = self.fleet.rows[finding.asked]
            match = compare(finding.facts.traits, row.traits)
            match = replace(match, score=min(match.score, CERTAIN - 1))
            note = f"another box answers at the address of {row.name}"
        score = match.score if row else 0
        name = self._raised(finding.facts, row, score, (note, *(match.reasons if row else ())))
        kind = Kind.perhaps if row else Kind.new
        return Proposed(kind, match, row.name if row else "", name, note)

    def _in_anothers_place(self, row: Candidate) -> bool:
        """Tell whether another box answered in this round where the row's own should be: then that one was moved."""
        return any(self.there.get(a, set()) - {row.id} for a in row.traits.addresses)

    def _observe(self, row: Candidate, facts: Facts) -> None:
        source = facts.transport or self.source
        self.said.append(observed.Said(row.id, source, self.now, observed_values(facts)))

    # --- the proposals themselves -------------------------------------------------------------------------------

    def _raised(self, facts: Facts, row: Candidate | None, score: int, reasons: Sequence[str]) -> str:
        """Return the proposal of this box, raised or seen again; '' if it was rejected as it stands."""
        same = sorted(self._same(facts.traits), key=lambda p: (p["status"] != "open", -p["id"]))
        device_id = row.id if row else None
        if same and same[0]["status"] == "open":
            return self._seen_again(same[0], facts, device_id, score, reasons)
        if any(_settled(p, facts, device_id, score) for p in same):
            return ""
        name = f"p{self._last_number() + 1}"
        derived = {"facts": stored(facts), "score": score, "first_seen": self.now, "last_seen": self.now}
        given = {"name": name, "source": self.source, "reason": _reason(reasons)}
        given |= {"device": row.name} if row else {}
        self.writer.put("proposal", given, mode="add", derived=derived)
        proposal_id = self.writer.keys.find("proposal", name)
        self._hold({**derived, "id": proposal_id, "name": name, "status": "open", "device_id": device_id})
        return name

    def _same(self, box: Traits) -> list[dict[str, Any]]:
        """Return the proposals of this box; one of which only the address is known is the one at that address."""
        return [
            self.rows[c.id]
            for c in self.held.near(box)
            for match in [compare(box, c.traits)]
            if match.score >= CERTAIN or (match.here and not match.against)
        ]

    def _seen_again(
        self, row: dict[str, Any], facts: Facts, device_id: int | None, score: int, reasons: Sequence[str]
    ) -> str:
        kept = {**row["facts"], **stored(facts)}
        before = row["facts"].get("address", facts.address)
        if before != facts.address and (row["last_seen"] == self.now or self.source == SWEEP):
            # A sweep of another prefix does not come by where the box was seen before.
            first = before if row["last_seen"] == self.now else facts.address
            also = {*row["facts"].get("also_at", "").split(), *kept.get("also_at", "").split()}
            also = (also | {before, facts.address}) - {first, ""}
            kept |= {"address": first, "also_at": " ".join(sorted(also)[:_ADDRESSES_KEPT])}
        row |= {"facts": kept, "last_seen": self.now, "device_id": device_id, "score": score}
        columns = ("facts", "last_seen", "device_id", "score")
        self.writer.derive(self.kind, row["id"], {**{c: row[c] for c in columns}, "reason": _reason(reasons)})
        self._hold(row)
        return str(row["name"])

    def settle(self, known: Mapping[int, Traits]) -> None:
        """Close the open proposals of boxes that are known as these rows, unless they were seen in this round.

        One that was met where another row should answer goes on until that row answers there itself again.
        """
        places = self._places() if self.held.rows else {}
        for device_id, box in known.items():
            for candidate in self.held.near(box):
                row = self.rows[candidate.id]
                if row["status"] != "open" or row["last_seen"] >= self.now:
                    continue
                met = next((places[a] for a in candidate.traits.addresses if a in places), device_id)
                same = compare(box, candidate.traits).score >= CERTAIN
                if same and met in {device_id, *known}:
                    self._close(row, device_id)
                elif not same and met == device_id and row["device_id"] not in (None, device_id):
                    self._close(row, row["device_id"])

    def _close(self, row: dict[str, Any], device_id: int) -> None:
        row["status"] = "merged"
        device = self.writer.keys.label("device", device_id)
        given = {"name": row["name"], "status": "merged", "device": device}
        self.writer.put("proposal", given, mode="set", derived={"decided_by": "siaga"})

    def _places(self) -> dict[str, int]:
        """Return where each device should answer."""
        c = noun("device").table.c
        query = select(c.id, c.address, c.transport, c.snmp_port, c.ssh_port).where(c.status != "retired")
        found = self.writer.session.execute(query.where(c.address != "")).all()
        return {endpoint(a, ssh if how == "ssh" else snmp): i for i, a, how, snmp, ssh in found}

    def _hold(self, row: dict[str, Any]) -> None:
        self.rows[row["id"]] = row
        self.held.add(Candidate(row["id"], row["name"], facts_of(row["facts"]).traits))

    def _last_number(self) -> int:
        names = self.writer.ids("proposal")
        return max((int(n[1:]) for n in names if re.fullmatch(r"p\d{1,9}", n)), default=0)


def _where(facts: Facts) -> str:
    """Return where a box answers, with the port where it is not the protocol's own: it may be all that changed."""
    return endpoint(facts.address, facts.port) or facts.address


def _at_home(facts: Facts, row: Candidate) -> bool:
    return not facts.address or endpoint(facts.address, facts.port) in row.traits.addresses


def _there(findings: Sequence[Finding], verdicts: Sequence[Verdict]) -> dict[str, set[int | None]]:
    """Return where boxes answered that told their hardware → the rows they are or may be, None for no row."""
    found: dict[str, set[int | None]] = {}
    for finding, verdict in zip(findings, verdicts, strict=True):
        facts = finding.facts
        if facts.traits.hardware:
            row = verdict.candidate.id if verdict.candidate and not verdict.match.against else None
            found.setdefault(endpoint(facts.address, facts.port), set()).add(row)
    return found


def _settled(rejected: Mapping[str, Any], facts: Facts, device_id: int | None, score: int) -> bool:
    """Tell whether a rejected proposal answers this question too: the same box, unchanged, and the same row."""
    old = facts_of(rejected["facts"])
    if rejected["device_id"] != device_id or (score >= CERTAIN and old.address != facts.address):
        return False
    pairs = ((getattr(old.traits, kind), getattr(facts.traits, kind)) for kind in _CHANGING)
    return not any(new and new != before for before, new in pairs)


def _reason(reasons: Sequence[str]) -> str:
    return safe("; ".join(filter(None, reasons)), 900)
