"""What the doors of one address come to: an answer for each check, met, broken or unknown. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from inventory.findings import Judged, Key, Verdict
from monitor.audit.doors import CLOSED, OPEN, UNKNOWN, Doors
from monitor.audit.guesses import Answers, communities
from monitor.audit.ssh_judge import weak, weak_keys
from monitor.targets import SnmpVersion

SOURCE = "audit"
# Check → severity, article of BSSN 4/2021, what is wrong.
CHECKS = {
    "snmp-default-community": (
        "critical",
        "33(2)b",
        "SNMP answers a community that devices are delivered with.",
    ),
    "snmp-guessable-community": ("high", "33(2)b", "SNMP answers a community made of its own name."),
    "snmp-v3-unused": ("medium", "33(2)g", "It knows SNMPv3, and is asked with a community all the same."),
    "snmp-v1": ("medium", "33(2)d", "SNMPv1 is open."),
    "telnet-open": ("high", "33(2)d", "Telnet is open."),
    "http-open": ("high", "33(2)d", "Management over plain HTTP is open."),
    "ssh-protocol-1": ("critical", "33(2)g", "SSH speaks version 1."),
    "ssh-weak-algorithms": ("medium", "33(2)g", "SSH offers algorithms that are broken or too short."),
    "ssh-weak-key": ("high", "33(2)g", "The SSH host key is too weak."),
    "host-not-recorded": ("medium", "33(2)j", "A host answers here that nobody recorded."),
    "tls-old-version": ("medium", "33(2)k", "TLS is greeted in versions that are given up (RFC 8996)."),
}


@dataclass(frozen=True)
class Place:
    """An address that is looked at: whose it is (None: nobody's that is recorded), its role, how siaga asks it."""

    address: str
    device_id: int | None = None
    name: str = ""
    role: str = ""
    platform: str = ""
    credential: str = ""  # its kind: snmp-v1, snmp-v2c, snmp-v3, or none
    words: tuple[str, ...] = ()

    def key(self, check: str) -> Key:
        """Return the key of a finding of this address."""
        return Key(SOURCE, check, self.device_id, "" if self.device_id else self.address)


def judged(place: Place, doors: Doors, agent: Answers | None, now: datetime) -> Iterator[Judged]:
    """Yield the answer of every check. `agent` None: SNMP was not tried."""
    one = _Judge(place, now)
    yield from _snmp(one, place, _heard(doors, agent))
    yield from _plain_doors(one, doors)
    yield from _ssh(one, doors)
    if place.device_id is None:
        opened = [f"{door} is open" for door, state in doors.states.items() if state == OPEN]
        yield one.said("host-not-recorded", doors.silent, opened)
    yield one.said("tls-old-version", doors.states.get("https", UNKNOWN) == UNKNOWN, doors.old_tls)


@dataclass(frozen=True)
class _Judge:
    place: Place
    now: datetime

    def said(
        self, check: str, unknown: bool, evidence: Sequence[str], detail: str = "", severity: str = ""
    ) -> Judged:
        """Return the answer: broken where there is evidence, unknown where nobody could look, else met."""
        verdict = Verdict.broken if evidence else Verdict.unknown if unknown else Verdict.met
        usual, article, title = CHECKS[check]
        detail = detail or "; ".join(evidence[:4])
        key, at = self.place.key(check), self.now
        return Judged(key, verdict, severity or usual, title, detail, article, tuple(evidence), at)


def _heard(doors: Doors, agent: Answers | None) -> Answers | None:
    """Return what the agent answered; None of a host that says nothing anywhere, whose silence proves nothing."""
    nothing = agent is not None and not (agent.v3 or agent.open_to or agent.closed)
    return None if doors.silent and nothing else agent


def _snmp(one: _Judge, place: Place, agent: Answers | None) -> Iterator[Judged]:
    known = set(communities())
    answered = agent.open_to if agent else []
    default = [f"v{v.value} to '{c}'" for v, c in answered if c in known]
    own = [f"v{v.value} to a word of its own name" for v, c in answered if c not in known]
    # Silence to all guesses proves only that these are not its communities: which is what is asked.
    silent = agent is None
    yield one.said("snmp-default-community", silent, default)
    yield one.said("snmp-guessable-community", silent, own)
    v1 = [f"v1 to '{c}'" if c in known else "v1" for c in _in(answered, SnmpVersion.v1)]
    yield one.said(
        "snmp-v1", silent, v1 or (["siaga asks it in v1"] if place.credential == "snmp-v1" else [])
    )
    asked = place.credential in ("snmp-v1", "snmp-v2c")
    v3 = [f"siaga asks it with {place.credential}"] if asked and agent and agent.v3 else []
    yield one.said("snmp-v3-unused", asked and (agent is None or not agent.v3), v3)


def _in(answered: Sequence[tuple[SnmpVersion, str]], version: SnmpVersion) -> list[str]:
    return [c for v, c in answered if v is version]


def _plain_doors(one: _Judge, doors: Doors) -> Iterator[Judged]:
    telnet = doors.states.get("telnet", UNKNOWN)
    words = doors.told.get("telnet", "")
    yield one.said(
        "telnet-open",
        telnet == UNKNOWN,
        [f"it says: {words}" if words else "it says nothing"] * (telnet == OPEN),
    )
    http = doors.states.get("http", UNKNOWN)
    pages = [
        f"port {p.port}: status {p.status}{f', {p.server}' if p.server else ''}"
        for p in doors.pages
        if not p.leads_on
    ]
    # A server's plain page may be an application's, which is no management.
    severity = "low" if one.place.role == "server" else ""
    yield one.said("http-open", http == UNKNOWN, pages if http == OPEN else [], severity=severity)


def _ssh(one: _Judge, doors: Doors) -> Iterator[Judged]:
    offer, closed = doors.ssh, doors.states.get("ssh") == CLOSED
    unknown = offer is None and not closed
    old = [f"version {offer.protocol}"] if offer and not offer.protocol.startswith("2.") else []
    yield one.said("ssh-protocol-1", unknown, old)
    found = weak(offer) if offer else []
    worst = found[0].severity if found else ""
    told = [f"{w.kind} {w.name}" for w in found]
    yield one.said("ssh-weak-algorithms", unknown, told, _briefly(told), severity=worst)
    keys = list(weak_keys(offer, doors.rsa_bits)) if offer else []
    yield one.said("ssh-weak-key", unknown, [k for _, k in keys], severity=keys[0][0] if keys else "")


def _briefly(told: Sequence[str]) -> str:
    more = f" and {len(told) - 4} more" if len(told) > 4 else ""
    return f"{', '.join(told[:4])}{more}" if told else ""


def exposure(place: Place, doors: Doors, agent: Answers | None) -> dict[str, str]:
    """Return door → open, closed or unknown, as it is kept for the device.

    An agent that answers no guess may have a secret community: SNMP v1 and v2c are then unknown, not closed. They are
    closed where the host says that it has no agent.
    """
    shut = CLOSED if agent and agent.closed else UNKNOWN
    states = {door: doors.states.get(door, UNKNOWN) for door in ("ssh", "telnet", "http", "https")}
    versions = agent.versions if agent else set()
    for version, asked in ((SnmpVersion.v1, "snmp-v1"), (SnmpVersion.v2c, "snmp-v2c")):
        states[asked] = OPEN if version in versions or place.credential == asked else shut
    states["snmp-v3"] = OPEN if agent and agent.v3 else shut
    return states
