"""SNMP v1, v2c and v3 over UDP by pysnmp, for what the lean engine does not speak: the one module that imports it.

It is also the oracle of the differential tests. pysnmp gives the BER codec, the user-based security model and its
message processing (RFC 3414, 3412); the datagrams and tries are in snmp_udp.py, what is asked in snmp_read.py. What
pysnmp or pyasn1 raise on a mutated reply is caught around one message and becomes a value.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import univ
from pysnmp.carrier.base import AbstractTransportDispatcher
from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.error import PySnmpError
from pysnmp.proto import api, errind, rfc1155, rfc1902
from pysnmp.proto.error import StatusInformation

from monitor.observation import Reach
from monitor.snmp_agent import Fault, Kind, PoliteAgent, Reply, Request, Trouble
from monitor.snmp_udp import Again, Codec, Exchange, Garbled, Good, Judged, Line, Stale
from monitor.tables import IpAddress, Oid, Value
from monitor.targets import SnmpAuth, SnmpVersion, Target

# pyasn1 and pysnmp raise these, beside their own, on replies with flipped bits.
MUTATED = (
    PyAsn1Error,
    PySnmpError,
    TypeError,
    ValueError,
    OverflowError,
    AttributeError,
    LookupError,
    RecursionError,
)

AUTH = {
    "": config.USM_AUTH_NONE,
    "MD5": config.USM_AUTH_HMAC96_MD5,
    "SHA": config.USM_AUTH_HMAC96_SHA,
    "SHA-224": config.USM_AUTH_HMAC128_SHA224,
    "SHA-256": config.USM_AUTH_HMAC192_SHA256,
    "SHA-384": config.USM_AUTH_HMAC256_SHA384,
    "SHA-512": config.USM_AUTH_HMAC384_SHA512,
}
PRIV = {
    "": config.USM_PRIV_NONE,
    "DES": config.USM_PRIV_CBC56_DES,
    "AES": config.USM_PRIV_CFB128_AES,
    "AES-128": config.USM_PRIV_CFB128_AES,
    "AES-192": config.USM_PRIV_CFB192_AES,
    "AES-256": config.USM_PRIV_CFB256_AES,
}

_REFUSALS: tuple[tuple[type[Exception], str], ...] = (
    (errind.UnknownUserName, "The device does not know this SNMPv3 user."),
    (errind.WrongDigest, "The SNMPv3 authentication password or protocol is wrong."),
    (errind.AuthenticationFailure, "The SNMPv3 authentication password or protocol is wrong."),
    (errind.DecryptionError, "The SNMPv3 privacy password or protocol is wrong."),
    (
        errind.UnsupportedSecurityLevel,
        "The device does not allow this user the SNMPv3 security level asked for.",
    ),
    (
        errind.NotInTimeWindow,
        "The device's SNMPv3 clock (boots and time) never agrees with what it reported.",
    ),
    (errind.UnknownEngineID, "The device never agrees to an SNMPv3 engine ID."),
)


class Engines:
    """The SNMPv3 engines of one session, one for each set of credentials: two devices may use one user name."""

    def __init__(self) -> None:
        self._engines: dict[tuple[str, ...], SnmpEngine] = {}

    def engine(self, auth: SnmpAuth) -> SnmpEngine:
        """Return the engine that knows this user; raises Trouble for a protocol that is not known."""
        key = _credentials(auth)
        if key not in self._engines:
            self._engines[key] = _engine(auth)
        return self._engines[key]


@asynccontextmanager
async def connected(target: Target, engines: Engines) -> AsyncIterator[PoliteAgent]:
    """Give an agent over a socket connected to the target; raises Trouble if there can be none."""
    codec = _codec(target, engines)
    loop = asyncio.get_running_loop()
    try:
        transport, line = await loop.create_datagram_endpoint(
            Line, remote_addr=(target.address, target.snmp_port)
        )
    except (OSError, UnicodeError) as error:
        raise Trouble(Fault(Reach.silent, f"There is no way to {target.address}: {error}.")) from None
    try:
        yield PoliteAgent(Exchange(line, codec, target))
    finally:
        transport.close()
        await asyncio.sleep(0)  # lets the loop close the socket before it is asked to end


def _codec(target: Target, engines: Engines) -> Codec:
    auth = target.snmp
    if auth is None:
        raise Trouble(Fault(Reach.refused, f"No SNMP credential is recorded for {target.name}."))
    if auth.version is SnmpVersion.v3:
        return _Usm(target, auth, engines.engine(auth))
    return _Community(auth)


def _new_id() -> int:
    return 2**24 + secrets.randbelow(2**31 - 2**24)


class _Community:
    """SNMP v1 and v2c messages."""

    def __init__(self, auth: SnmpAuth) -> None:
        self._version = 0 if auth.version is SnmpVersion.v1 else 1
        self._community = auth.community.get_secret_value().encode()
        self._api = api.PROTOCOL_MODULES[self._version]

    def pack(self, request: Request) -> tuple[int, bytes]:
        number = _new_id()
        message = self._api.Message()
        self._api.apiMessage.set_defaults(message)
        self._api.apiMessage.set_community(message, self._community)
        self._api.apiMessage.set_pdu(message, _pdu(self._api, request, number))
        return number, bytes(encoder.encode(message))

    def unpack(self, data: bytes) -> Judged:
        try:
            message, _ = decoder.decode(data, asn1Spec=self._api.Message())
            if int(message[0]) != self._version:
                return Garbled()
            return _response(self._api, self._api.apiMessage.get_pdu(message))
        except MUTATED:
            return Garbled()

    def silence(self) -> tuple[Reach, str]:
        return Reach.silent, "down, filtered, or the community is wrong."


_AUTH_PRIV = 3  # securityLevel of RFC 3411


class _Usm:
    """SNMPv3 messages: pysnmp's engine packs and unpacks them, and keeps engine IDs, keys and clocks."""

    def __init__(self, target: Target, auth: SnmpAuth, engine: SnmpEngine) -> None:
        self._engine = engine
        self._user = auth.user.encode()  # pysnmp finds it by octets, not by text
        self._level = _AUTH_PRIV if auth.priv_protocol else 2 if auth.auth_protocol else 1
        self._model = engine.message_processing_subsystems[3]
        self._api = api.PROTOCOL_MODULES[1]
        self._address = (target.address, target.snmp_port)
        self._met = False
        self._heard = False
        self._in_time = False

    def pack(self, request: Request) -> tuple[int, bytes]:
        number = _new_id()
        pdu = _pdu(self._api, request, number)
        try:
            _, _, data = self._model.prepare_outgoing_message(
                self._engine, config.SNMP_UDP_DOMAIN, self._address, 3, 3, self._user, self._level,
                None, b"", 1, pdu, True, number,
            )  # fmt: skip
        except MUTATED as error:
            raise Trouble(_refusal(error)) from None
        return number, bytes(data)

    def unpack(self, data: bytes) -> Judged:
        try:
            elements = self._model.prepare_data_elements(
                self._engine, config.SNMP_UDP_DOMAIN, self._address, data
            )
            self._heard = True
            return _response(self._api, elements[7])
        except StatusInformation as status:
            return self._report(status)
        except MUTATED:
            return Garbled()

    def _report(self, status: StatusInformation) -> Judged:
        """Judge what the security model says: go on with discovery, refuse, or not for us."""
        why = status.get("errorIndication")
        asked = "sendPduHandle" in status
        self._met = self._met or asked
        if asked and isinstance(why, errind.UnknownEngineID | errind.NotInTimeWindow):
            self._in_time = self._in_time or isinstance(why, errind.NotInTimeWindow)
            return Again(_refusal(status))
        if asked or isinstance(
            why, errind.AuthenticationFailure | errind.WrongDigest | errind.DecryptionError
        ):
            raise Trouble(_refusal(status))
        return Stale() if isinstance(why, errind.DataMismatch) else Garbled()

    def silence(self) -> tuple[Reach, str]:
        """Some agents drop what they cannot decrypt: silence right after the greeting is a refusal."""
        if self._heard:
            return Reach.silent, "it answered before."
        if (self._met or self._in_time) and self._level == _AUTH_PRIV:
            return (
                Reach.refused,
                "it greeted and then said nothing: the privacy password or protocol is wrong.",
            )
        if self._met or self._in_time:
            return Reach.refused, "it greeted and then said nothing: it does not accept this SNMPv3 user."
        return Reach.silent, "down, filtered, or it does not speak SNMPv3."


class _NoDispatcher(AbstractTransportDispatcher):  # type: ignore[misc]  # pysnmp has no types
    """pysnmp's engine asks a dispatcher for the time resolution; nothing is ever sent by it."""

    def send_message(self, *_: Any, **__: Any) -> None:
        """Send nothing: a poller answers no SNMPv3 reports."""


def _credentials(auth: SnmpAuth) -> tuple[str, ...]:
    secret = auth.auth_secret.get_secret_value(), auth.priv_secret.get_secret_value()
    return (auth.user, auth.auth_protocol, auth.priv_protocol, *secret)


def add_user(engine: SnmpEngine, auth: SnmpAuth) -> None:
    """Make a user known to an engine of pysnmp; raises what MUTATED names for one that cannot be."""
    config.add_v3_user(
        engine, auth.user,
        AUTH[auth.auth_protocol], auth.auth_secret.get_secret_value() or None,
        PRIV[auth.priv_protocol], auth.priv_secret.get_secret_value() or None,
    )  # fmt: skip


def _engine(auth: SnmpAuth) -> SnmpEngine:
    if auth.auth_protocol not in AUTH or auth.priv_protocol not in PRIV:
        known = ", ".join(k for k in (*AUTH, *PRIV) if k)
        raise Trouble(Fault(Reach.refused, f"The SNMPv3 protocol of the credential is none of {known}."))
    if auth.priv_protocol and not auth.auth_protocol:
        raise Trouble(Fault(Reach.refused, "SNMPv3 privacy needs an authentication protocol too."))
    engine = SnmpEngine()
    engine.transport_dispatcher = _NoDispatcher()
    try:
        add_user(engine, auth)
    except MUTATED:
        raise Trouble(Fault(Reach.refused, "The SNMPv3 user name or passwords cannot be used.")) from None
    return engine


def _refusal(error: Exception) -> Fault:
    why = error.get("errorIndication") if isinstance(error, StatusInformation) else None
    for kind, sentence in _REFUSALS:
        if isinstance(why, kind):
            return Fault(Reach.refused, sentence)
    return Fault(Reach.refused, f"The SNMPv3 exchange failed ({type(why or error).__name__}).")


def _pdu(pmod: Any, request: Request, number: int) -> Any:
    kinds = {Kind.get: "GetRequestPDU", Kind.getnext: "GetNextRequestPDU", Kind.getbulk: "GetBulkRequestPDU"}
    pdu = getattr(pmod, kinds[request.kind])()
    functions = pmod.apiBulkPDU if request.kind is Kind.getbulk else pmod.apiPDU
    functions.set_defaults(pdu)
    functions.set_request_id(pdu, number)
    if request.kind is Kind.getbulk:
        functions.set_non_repeaters(pdu, 0)
        functions.set_max_repetitions(pdu, request.rows)
    functions.set_varbinds(pdu, [(oid, pmod.Null("")) for oid in request.oids])
    return pdu


def _response(pmod: Any, pdu: Any) -> Judged:
    """Return the PDU's meaning; only a Response is one (not an echo of the request). Raises MUTATED."""
    if pdu.tagSet != pmod.GetResponsePDU.tagSet:
        return Garbled()
    varbinds = tuple((tuple(name), value_of(value)) for name, value in pmod.apiPDU.get_varbinds(pdu))
    status, index = int(pmod.apiPDU.get_error_status(pdu)), pmod.apiPDU.get_error_index(pdu, muteErrors=True)
    return Good(int(pmod.apiPDU.get_request_id(pdu)), Reply(varbinds, status, int(index)))


def value_of(value: Any) -> Value | None:
    """Return pysnmp's value as ours; None if it stands for nothing (NULL and the exceptions of v2).

    Raises ValueError for an integer that is none of SNMP's: one of 5,000 octets would stop what reckons with it.
    """
    if isinstance(value, univ.Choice):
        value = value.getComponent()
    if isinstance(value, univ.Null):  # before OctetString, of which pyasn1 makes it a kind
        return None
    if isinstance(value, univ.Integer):
        return _in_range(int(value))
    if isinstance(value, rfc1155.IpAddress | rfc1902.IpAddress):
        return IpAddress(bytes(value))
    if isinstance(value, univ.OctetString):
        return bytes(value)
    if isinstance(value, univ.ObjectIdentifier):
        number: Oid = tuple(value)
        return number
    return None


def _in_range(number: int) -> int:
    if not -(2**63) <= number < 2**64:
        raise ValueError("no SNMP integer")
    return number
