"""SNMP traps and informs, v1, v2c and v3, decoded by pysnmp; what it does not check is checked here.

Measured with pysnmp 7.1: of messages whose sender is the authority (traps) it checks neither that the user's security
level was used nor, in truth, the time (the message's own is stored before it is compared), and it knows no user for an
engine that it was not told of. So traps of v3 are authenticated here (RFC 3414) with its ciphers and its grammar; only
informs, where this side is the authority, go through its engine.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyasn1.codec.ber import decoder, encoder
from pyasn1.type import univ
from pysnmp.carrier.base import AbstractTransportDispatcher
from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.proto import api, errind
from pysnmp.proto.api.verdec import decode_message_version
from pysnmp.proto.error import StatusInformation
from pysnmp.proto.mpmod.rfc3412 import ScopedPDU, SNMPv3Message
from pysnmp.proto.secmod.rfc3414.service import UsmSecurityParameters

from monitor import usm
from monitor.listen.clocks import Clocks
from monitor.listen.sieve import Recent
from monitor.snmp_pysnmp import AUTH, MUTATED, PRIV, add_user, value_of
from monitor.tables import SYS_UPTIME
from monitor.targets import SnmpAuth, SnmpVersion

MOST_BYTES = 16 << 10  # a trap that is longer is none
VARBINDS = 64
REFUSALS = 5000  # pysnmp keeps something of every message that it refuses; a new engine forgets it
Oid = tuple[int, ...]
Value = int | bytes | Oid | None

_V1_TRAPS: Oid = (1, 3, 6, 1, 6, 3, 1, 1, 5)  # snmpTraps, RFC 3418
_TRAP_OID: Oid = (1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0)
_TRAP_ADDRESS: Oid = (1, 3, 6, 1, 6, 3, 18, 1, 3, 0)  # snmpTrapAddress, RFC 3584


@dataclass(frozen=True)
class Trap:
    """One notification as it was sent. `address`: the one that it says it comes from, if it says one."""

    oid: Oid
    uptime_ticks: int | None
    varbinds: tuple[tuple[Oid, Value], ...]
    inform: bool = False
    authentic: bool = False
    address: str = ""


@dataclass(frozen=True)
class Read:
    """What a datagram was: a trap, or the word for why it is none; and what to answer, if anything.

    refused: too-long, garbled, community, user, level, digest, decryption, replayed, again, engine, no-notification.
    """

    trap: Trap | None = None
    refused: str = ""
    reply: bytes | None = None


class Refused(Exception):  # noqa: N818 - a value on its way up
    """A message is not believed; the word says why."""


class _User:
    """One SNMPv3 user with the keys that its passwords make (RFC 3414, A.2), not yet localised."""

    def __init__(self, auth: SnmpAuth) -> None:
        self.auth = auth
        self.name = auth.user.encode()
        self.level = 3 if auth.priv_protocol else 2 if auth.auth_protocol else 1
        if self.level > 1:
            number = AUTH[auth.auth_protocol]
            self._hash, self.digest_bytes = usm.AUTH[auth.auth_protocol]
            self._auth_service = config.AUTH_SERVICES[number]
            secret = univ.OctetString(auth.auth_secret.get_secret_value().encode())
            self._master = self._auth_service.hash_passphrase(secret)
        if self.level == 3:
            self._number = number
            self._priv_service = config.PRIV_SERVICES[PRIV[auth.priv_protocol]]
            secret = univ.OctetString(auth.priv_secret.get_secret_value().encode())
            self._priv_master = self._priv_service.hash_passphrase(number, secret)

    def proves(self, data: bytes, engine_id: bytes, digest: bytes) -> bool:
        """Return whether the digest in a message is the one that only this user can make."""
        at = data.find(digest)
        if len(digest) != self.digest_bytes or at < 0:
            return False
        key = bytes(self._auth_service.localize_key(self._master, univ.OctetString(engine_id)))
        blank = data[:at] + bytes(self.digest_bytes) + data[at + self.digest_bytes :]
        made = hmac.new(key, blank, self._hash).digest()[: self.digest_bytes]
        return hmac.compare_digest(made, digest)

    def opened(self, engine_id: bytes, boots: int, time_s: int, salt: bytes, sealed: Any) -> bytes:
        """Return a deciphered scoped PDU."""
        key = self._priv_service.localize_key(self._number, self._priv_master, univ.OctetString(engine_id))
        clock = (univ.Integer(boots), univ.Integer(time_s), univ.OctetString(salt))
        return bytes(self._priv_service.decrypt_data(key, clock, sealed))


class _Catcher(AbstractTransportDispatcher):  # type: ignore[misc]  # pysnmp has no types
    """Keeps what pysnmp's engine would send: an acknowledgement or a report."""

    sent: bytes | None = None

    def send_message(self, message: bytes, *_: Any, **__: Any) -> None:
        """Keep a message instead of sending it."""
        self.sent = bytes(message)


class TrapReader:
    """Reads datagrams. `read` raises nothing, whatever comes."""

    def __init__(self, auths: Sequence[SnmpAuth], clocks: Clocks) -> None:
        self._communities = {
            version: [a.community.get_secret_value().encode() for a in auths if a.version is version]
            for version in (SnmpVersion.v1, SnmpVersion.v2c)
        }
        self._users = [_User(a) for a in auths if a.version is SnmpVersion.v3]
        self._clocks = clocks
        self._recent = Recent()
        self._refusals = 0
        self._engine: SnmpEngine | None = None
        self._catcher = _Catcher()

    def read(self, data: bytes, source: str, at_s: float) -> Read:
        """Return what a datagram from `source` is; `at_s` is monotonic. Nothing is raised."""
        if len(data) > MOST_BYTES:
            return Read(refused="too-long")
        try:
            version = int(decode_message_version(data))
            if version in (0, 1):
                return self._by_community(data, version, source, at_s)
            if version == 3:
                return self._by_user(data, source, at_s)
        except Refused as why:
            return Read(refused=str(why))
        except MUTATED:
            pass
        return Read(refused="garbled")

    def _by_community(self, data: bytes, version: int, source: str, at_s: float) -> Read:
        proto = api.PROTOCOL_MODULES[version]
        message, _ = decoder.decode(data, asn1Spec=proto.Message())
        given = bytes(message[1])
        known = self._communities[SnmpVersion.v1 if version == 0 else SnmpVersion.v2c]
        if not any(hmac.compare_digest(given, one) for one in known):
            raise Refused("community")
        pdu = proto.apiMessage.get_pdu(message)
        if version == 0:
            if pdu.tagSet != proto.TrapPDU.tagSet:
                raise Refused("no-notification")
            trap, reply = _v1_trap(proto, pdu), None
        else:
            trap = _v2_trap(pdu, authentic=False)
            reply = _acknowledged(proto, message, pdu) if trap.inform else None
        return self._once(trap, pdu, source, at_s, reply)

    def _once(self, trap: Trap, pdu: Any, source: str, at_s: float, reply: bytes | None) -> Read:
        """Return the trap the first time; what is sent again for want of an acknowledgement is acknowledged only."""
        mark = hashlib.sha256(source.encode() + b" " + encoder.encode(pdu)).digest()
        if self._recent.again(mark, at_s):
            return Read(refused="again", reply=reply)
        return Read(trap, reply=reply)

    def _by_user(self, data: bytes, source: str, at_s: float) -> Read:
        message, _ = decoder.decode(data, asn1Spec=SNMPv3Message())
        usm, _ = decoder.decode(bytes(message[2]), asn1Spec=UsmSecurityParameters())
        engine_id = bytes(usm[0])
        if engine_id in (b"", self._clocks.engine_id):
            return self._to_us(data, source, at_s)
        pdu, level = self._from_them(data, message, usm, engine_id, at_s)
        trap = _v2_trap(pdu, authentic=level > 1)
        if trap.inform:
            raise Refused("engine")  # an inform is for this engine, or for none
        return self._once(trap, pdu, source, at_s, None)

    def _from_them(
        self, data: bytes, message: Any, usm: Any, engine_id: bytes, at_s: float
    ) -> tuple[Any, int]:
        """Return the PDU of a trap and its security level. Raises Refused."""
        (flags,) = bytes(message[1][2])
        level = {0: 1, 1: 2, 3: 3}.get(flags & 3, 0)
        named = [u for u in self._users if u.name == bytes(usm[3])]
        if not named:
            raise Refused("user")
        fitting = [u for u in named if u.level == level]
        if not fitting:
            raise Refused("level")
        if level == 1:
            return _pdu_of(message[3].getComponentByName("plaintext")), level
        digest = bytes(usm[4])
        user = next((u for u in fitting if u.proves(data, engine_id, digest)), None)
        if user is None:
            raise Refused("digest")
        boots, time_s = int(usm[1]), int(usm[2])
        if self._recent.again(engine_id + digest, at_s) or not self._clocks.accept(engine_id, boots, time_s):
            raise Refused("replayed")
        if level == 2:
            return _pdu_of(message[3].getComponentByName("plaintext")), level
        sealed = message[3].getComponentByName("encryptedPDU")
        try:
            plain = user.opened(engine_id, boots, time_s, bytes(usm[5]), sealed)
            scoped, _ = decoder.decode(plain, asn1Spec=ScopedPDU())
        except MUTATED:
            raise Refused("decryption") from None
        return _pdu_of(scoped), level

    def _to_us(self, data: bytes, source: str, at_s: float) -> Read:
        """Let pysnmp's engine judge what is sent to it as the authority: discovery, and informs."""
        if self._engine is None or self._refusals >= REFUSALS:
            self._engine, self._refusals = self._new_engine(), 0
        engine = self._engine
        self._catcher.sent = None
        try:
            (model, security, name, level, context_id, context, pdu_version, pdu, _, _, size, _, state) = (
                engine.message_processing_subsystems[3].prepare_data_elements(
                    engine, config.SNMP_UDP_DOMAIN, (source, 0), data
                )
            )
            trap = _v2_trap(pdu, authentic=int(level) > 1)
            if not trap.inform:
                raise Refused("no-notification")
            response = api.v2c.apiPDU.get_response(pdu)
            api.v2c.apiPDU.set_varbinds(response, api.v2c.apiPDU.get_varbinds(pdu))
            engine.message_dispatcher.return_response_pdu(
                engine,
                model,
                security,
                name,
                level,
                context_id,
                context,
                pdu_version,
                response,
                size,
                state,
                {},
            )
        except StatusInformation as status:
            self._refusals += 1
            return Read(refused=_word(status), reply=self._catcher.sent)
        except (Refused, *MUTATED):
            self._refusals += 1
            raise
        return self._once(trap, pdu, source, at_s, self._catcher.sent)

    def _new_engine(self) -> SnmpEngine:
        """Return an engine with this side's identity. A new one is a new boot, because its time begins again."""
        self._clocks.restart()
        engine = SnmpEngine()
        engine.transport_dispatcher = self._catcher
        symbols = engine.get_mib_builder().import_symbols
        for name, value in (
            ("snmpEngineID", self._clocks.engine_id),
            ("snmpEngineBoots", self._clocks.boots),
        ):
            (variable,) = symbols("__SNMP-FRAMEWORK-MIB", name)
            variable.syntax = variable.syntax.clone(value)
        engine.snmpEngineID = symbols("__SNMP-FRAMEWORK-MIB", "snmpEngineID")[0].syntax
        for user in self._users:
            add_user(engine, user.auth)
        return engine


_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (errind.UnknownSecurityName, "user"),
    (errind.UnknownEngineID, "engine"),
    (errind.NotInTimeWindow, "replayed"),
    (errind.WrongDigest, "digest"),
    (errind.AuthenticationFailure, "digest"),
    (errind.DecryptionError, "decryption"),
    (errind.UnsupportedSecurityLevel, "level"),
)


def _word(status: StatusInformation) -> str:
    why = status.get("errorIndication")
    return next((word for kind, word in _WORDS if isinstance(why, kind)), "garbled")


def _pdu_of(scoped: Any) -> Any:
    return scoped[2].getComponent()


def _v2_trap(pdu: Any, *, authentic: bool) -> Trap:
    """Return an SNMPv2-Trap or InformRequest. Raises Refused and MUTATED."""
    inform = pdu.tagSet == api.v2c.InformRequestPDU.tagSet
    if not inform and pdu.tagSet != api.v2c.SNMPv2TrapPDU.tagSet:
        raise Refused("no-notification")
    pairs = [(tuple(n), value_of(v)) for n, v in api.v2c.apiPDU.get_varbinds(pdu)[: VARBINDS + 3]]
    found = dict(reversed(pairs))
    oid, uptime, address = found.get(_TRAP_OID), found.get(SYS_UPTIME), found.get(_TRAP_ADDRESS)
    if not isinstance(oid, tuple):
        raise Refused("garbled")
    rest = tuple(p for p in pairs if p[0] not in (_TRAP_OID, SYS_UPTIME))[:VARBINDS]
    ticks = uptime if isinstance(uptime, int) else None
    return Trap(oid, ticks, rest, inform, authentic, _dotted(address))


def _v1_trap(proto: Any, pdu: Any) -> Trap:
    """Return a Trap-PDU of v1 as RFC 3584, 3.1 makes a v2 one of it."""
    functions = proto.apiTrapPDU
    generic, enterprise = int(functions.get_generic_trap(pdu)), tuple(functions.get_enterprise(pdu))
    specific = int(functions.get_specific_trap(pdu))
    oid = (*_V1_TRAPS, generic + 1) if 0 <= generic < 6 else (*enterprise, 0, specific)
    pairs = functions.get_varbinds(pdu)[:VARBINDS]
    varbinds = tuple((tuple(n), value_of(v)) for n, v in pairs)
    address = bytes(functions.get_agent_address(pdu))
    return Trap(oid, int(functions.get_timestamp(pdu)), varbinds, address=_dotted(address))


def _dotted(address: Value) -> str:
    return ".".join(map(str, address)) if isinstance(address, bytes) and len(address) == 4 else ""


def _acknowledged(proto: Any, message: Any, pdu: Any) -> bytes:
    """Return the Response to an inform of v2c: the same request id and variables (RFC 3416, 4.2.7)."""
    response = proto.apiPDU.get_response(pdu)
    proto.apiPDU.set_varbinds(response, proto.apiPDU.get_varbinds(pdu))
    reply = proto.Message()
    proto.apiMessage.set_defaults(reply)
    proto.apiMessage.set_community(reply, message[1])
    proto.apiMessage.set_pdu(reply, response)
    return bytes(encoder.encode(reply))
