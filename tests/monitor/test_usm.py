"""SNMPv3: only what the right engine said to this question, authenticated and in time, is taken (RFC 3414, 3412)."""

import random
from collections.abc import Callable
from dataclasses import replace

import hostile
import pytest
from agent import TICKS, number, oid, tlv, value_of
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from monitor import ber, usm
from monitor.snmp_agent import Kind
from monitor.snmp_message import Opened, Stale, new_ids, template
from monitor.targets import SnmpAuth, SnmpVersion
from monitor.usm import Engine, Mac, Reported, Why, localized, master_key, params

ENGINE_ID = bytes.fromhex("80001f8804736961676174657374")
OTHER_ID = bytes.fromhex("80001f88046f74686572")
UPTIME, FILLED = (1, 3, 6, 1, 2, 1, 1, 3, 0), (1, 3, 6, 1, 2, 1, 1, 1, 0)
REPORTS = {why: (1, 3, 6, 1, 6, 3, 15, 1, 1, why.value, 0) for why in Why}
AUTH = SnmpAuth(
    SnmpVersion.v3,
    user="siaga",
    auth_protocol="SHA-256",
    auth_secret=SecretStr("autentikasi-1"),
    priv_protocol="AES",
    priv_secret=SecretStr("privasi-rahasia"),
)
LEVELS = [
    replace(AUTH, auth_protocol=a, priv_protocol=p)
    for a, p in (("", ""), ("MD5", ""), ("SHA", "DES"), ("SHA-224", "AES"), ("SHA-256", "AES-128"),
                 ("SHA-384", "DES"), ("SHA-512", "AES"))
]  # fmt: skip
REQUEST = template(Kind.get, [UPTIME])
IDS = new_ids()


def test_keys_are_those_of_the_rfc() -> None:
    """RFC 3414, A.3.1 and A.3.2."""
    engine_id = bytes.fromhex("000000000000000000000002")
    for digest, master, local in (
        ("md5", "9faf3283884e92834ebc9847d8edd963", "526f5eed9fcce26f8964c2930787d82b"),
        (
            "sha1",
            "9fb5cc0381497b3793528939ff788d5d79145211",
            "6695febc9288e36282235fc7151f128497b38f3f",
        ),
    ):
        key = master_key(b"maplesyrup", digest)
        assert key.hex() == master
        assert localized(key, engine_id, digest).hex() == local


@given(st.binary(min_size=16, max_size=16), st.lists(st.binary(max_size=100), min_size=1, max_size=5))
def test_aes_with_contexts_that_stay_is_cfb(key: bytes, messages: list[bytes]) -> None:
    cipher = usm._Aes(key)
    for message in messages:
        clock = usm.clock_octets(7, 1000)
        salt, sealed = cipher.seal(clock, message)
        iv = (7 << 32 | 1000).to_bytes(8, "big") + salt
        assert sealed == Cipher(algorithms.AES128(key), CFB(iv)).encryptor().update(message)
        assert cipher.open(clock, salt, sealed) == message


def test_no_two_messages_have_one_salt() -> None:
    aes, des = usm._Aes(bytes(16)), usm._Des(bytes(16))
    clock = usm.clock_octets(1, 1)
    assert len({aes.seal(clock, b"x")[0] for _ in range(1000)}) == 1000
    assert len({des.seal(clock, b"x")[0] for _ in range(1000)}) == 1000


class Authority:
    """The authoritative engine of the tests: what it says is right but for what a test asks to be wrong."""

    def __init__(self, auth: SnmpAuth = AUTH, engine_id: bytes = ENGINE_ID) -> None:
        self.user = usm.user(auth)
        self.engine_id = engine_id
        self.boots, self.time = 7, 100_000

    def says(
        self,
        ident: bytes,
        *,
        flags: int | None = None,
        request_id: bytes | None = None,
        report: Why | None = None,
        context: bytes | None = None,
        context_name: bytes = b"",
        name: bytes | None = None,
        mac: Callable[[bytes], bytes] = bytes,
        kind: int = 0xA2,
    ) -> bytes:
        """Return a message; `mac` changes its MAC."""
        user = self.user
        flags = user.flags & 3 if flags is None else flags
        pair = oid(REPORTS[report] if report else UPTIME) + value_of(TICKS, 4711)
        # Responses are as long as those of windows, so that what was learned of one is used for the next.
        listed = tlv(0x30, pair) + (b"" if report else tlv(0x30, oid(FILLED) + tlv(4, bytes(400))))
        body = tlv(2, request_id or ident) + number(0) + number(0) + tlv(0x30, listed)
        context = self.engine_id if context is None else context
        inner = tlv(4, context) + tlv(4, context_name) + tlv(0xA8 if report else kind, body)
        payload, salt = tlv(0x30, inner), b""
        if flags & 2:
            key = localized(user.priv_key, self.engine_id, user.digest)
            cipher = usm._Des(key) if user.cipher == "DES" else usm._Aes(key)
            salt, sealed = cipher.seal(usm.clock_octets(self.boots, self.time), payload)
            payload = tlv(4, sealed)
        size = user.mac_size if flags & 1 else 0
        header = tlv(2, ident) + number(65507) + tlv(4, bytes((flags,))) + number(3)
        clock = number(self.boots) + number(self.time)
        user_name = user.name if name is None else name
        security = tlv(4, self.engine_id) + clock + tlv(4, user_name) + tlv(4, bytes(size)) + tlv(4, salt)
        whole = tlv(0x30, number(3) + tlv(0x30, header) + tlv(4, tlv(0x30, security)) + payload)
        if not size:
            return whole
        key = localized(user.auth_key, self.engine_id, user.digest)
        at = len(whole) - len(payload) - len(tlv(4, salt)) - size
        right = mac(Mac(key, user.digest, size).of(whole))
        return whole[:at] + right + whole[at + size :]


def met(auth: SnmpAuth = AUTH, authority: Authority | None = None) -> tuple[Engine, Authority]:
    """Return an engine that knows the authority's ID and has heard its clock."""
    authority = authority or Authority(auth)
    engine = Engine(usm.user(auth))
    ident = next(IDS)
    engine.greeted(authority.says(ident, flags=0, report=Why.unknown_engine), ident, 0.0)
    return engine, authority


def value(opened: Opened) -> object:
    data, status, _, start, end = opened
    assert status == 0
    (name, found), _ = ber.varbinds(data, start, end)
    assert name == UPTIME
    return found


@pytest.mark.parametrize("auth", LEVELS)
def test_a_right_response_is_taken_the_first_time_and_the_next(auth: SnmpAuth) -> None:
    engine, authority = met(auth)
    for _ in range(4):
        ident = next(IDS)
        assert value(engine.open(authority.says(ident), ident, 1.0)) == 4711
        authority.time += 1


@pytest.mark.parametrize("auth", LEVELS)
def test_a_request_is_what_an_authority_can_check(auth: SnmpAuth) -> None:
    engine, authority = met(auth)
    ident = next(IDS)
    data = engine.pack(ident, REQUEST, 5.0)
    found = params(data)
    assert (found.number, found.flags) == (int.from_bytes(ident, "big"), authority.user.flags)
    assert (found.engine_id, found.boots, found.time, found.user) == (ENGINE_ID, 7, 100_005, b"siaga")
    user = authority.user
    start, stop = found.mac
    if user.digest:
        mac = Mac(localized(user.auth_key, ENGINE_ID, user.digest), user.digest, user.mac_size)
        assert mac.of(data[:start] + bytes(stop - start) + data[stop:]) == data[start:stop]
    plain, at = data, found.payload
    if user.cipher:
        key = localized(user.priv_key, ENGINE_ID, user.digest)
        cipher = usm._Des(key) if user.cipher == "DES" else usm._Aes(key)
        sealed = data[ber.whole(data, at, len(data), ber.OCTETS) :]
        plain, at = cipher.open(usm.clock_octets(found.boots, found.time), found.salt, sealed), 0
    context, start, end = usm.scoped(plain, at, padded=user.cipher == "DES")
    head = ber.head(plain, start, end)
    assert (context, head.kind, head.number) == ((ENGINE_ID, b""), ber.GET, found.number)
    assert ber.varbinds(plain, head.start, head.end) == [(UPTIME, None)]


LEARNED = pytest.mark.parametrize("learned", [False, True], ids=["first", "later"])


@LEARNED
@pytest.mark.parametrize(
    "wrong",
    [
        {"mac": lambda mac: bytes((mac[0] ^ 1,)) + mac[1:]},
        {"mac": lambda mac: mac[:-1] + bytes((mac[-1] ^ 0x80,))},
        {"mac": lambda mac: bytes(len(mac))},
        {"flags": 0},  # stripped to noAuthNoPriv
        {"flags": 1},  # authenticated, but in the clear
        {"name": b"other"},
        {"context": OTHER_ID},
        {"context": b""},
        {"context_name": b"other"},  # RFC 3412, 7.2, 12
        {"kind": 0xA0},  # no response
    ],
)
def test_what_is_not_right_is_not_taken(wrong: dict[str, object], learned: bool) -> None:
    engine, authority = met()
    if learned:
        ident = next(IDS)
        engine.open(authority.says(ident), ident, 0.0)
    ident = next(IDS)
    with pytest.raises(ber.Malformed):
        engine.open(authority.says(ident, **wrong), ident, 0.0)  # type: ignore[arg-type]
    assert value(engine.open(authority.says(ident), ident, 0.0)) == 4711


def test_what_was_learned_of_a_response_is_used_for_the_next_and_only_if_its_mac_is_right() -> None:
    engine, authority = met()
    ident = next(IDS)
    engine.open(authority.says(ident), ident, 0.0)
    ident = next(IDS)
    lead = engine._lead
    assert lead is not None
    assert engine._alike(lead, authority.says(ident), ident, 0.0) is not None
    assert engine._alike(lead, authority.says(ident, mac=lambda mac: bytes(len(mac))), ident, 0.0) is None


@LEARNED
def test_another_question_s_response_is_stale(learned: bool) -> None:
    engine, authority = met()
    ident, other = next(IDS), next(IDS)
    if learned:
        engine.open(authority.says(ident), ident, 0.0)
    with pytest.raises(Stale):
        engine.open(authority.says(other), ident, 0.0)
    with pytest.raises(Stale):
        engine.open(authority.says(ident, request_id=other), ident, 0.0)


@LEARNED
def test_another_engine_is_not_taken(learned: bool) -> None:
    engine, authority = met()
    ident = next(IDS)
    if learned:
        engine.open(authority.says(ident), ident, 0.0)
    with pytest.raises(ber.Malformed):
        engine.open(Authority(engine_id=OTHER_ID).says(ident), ident, 0.0)


@LEARNED
def test_what_lies_outside_the_time_window_is_not_taken(learned: bool) -> None:
    """RFC 3414, 3.2, 7b: an engine without authority compares with what it knows."""
    engine, authority = met()
    ident = next(IDS)
    if learned:
        engine.open(authority.says(ident), ident, 0.0)
    engine.open(authority.says(ident), ident, 0.0)  # the clock is sure now
    authority.time -= 100
    assert value(engine.open(authority.says(ident), ident, 0.0)) == 4711
    authority.time -= 51
    with pytest.raises(ber.Malformed):
        engine.open(authority.says(ident), ident, 0.0)
    authority.time += 151
    with pytest.raises(ber.Malformed):
        engine.open(authority.says(ident), ident, 152.0)  # recorded and sent again later
    authority.boots = 6
    with pytest.raises(ber.Malformed):
        engine.open(authority.says(ident), ident, 0.0)
    authority.boots, authority.time = 8, 3
    assert value(engine.open(authority.says(ident), ident, 0.0)) == 4711
    assert (engine.clock.boots, engine.clock.time) == (8, 3)
    authority.boots = 2**31 - 1
    with pytest.raises(ber.Malformed):
        engine.open(authority.says(ident), ident, 0.0)


def test_a_clock_that_nobody_vouched_for_is_no_measure() -> None:
    engine, authority = met()
    engine.meet(ENGINE_ID, 2**30, 5, 0.0)  # a forged greeting, or an old file
    ident = next(IDS)
    assert value(engine.open(authority.says(ident), ident, 0.0)) == 4711
    assert engine.clock.boots == 7


def test_a_report_of_the_clock_counts_when_it_is_authenticated() -> None:
    engine, authority = met()
    ident = next(IDS)
    authority.boots, authority.time = 9, 50
    with pytest.raises(ber.Malformed):
        engine.open(authority.says(ident, flags=0, report=Why.not_in_time_window), ident, 0.0)
    assert engine.clock.boots == 7
    with pytest.raises(Reported) as told:
        engine.open(authority.says(ident, flags=1, report=Why.not_in_time_window), ident, 0.0)
    assert (told.value.why, told.value.again) == (Why.not_in_time_window, True)
    assert (engine.clock.boots, engine.clock.time, engine.clock.sure) == (9, 50, True)


def test_an_engine_that_lost_its_boots_is_heard_again() -> None:
    engine, authority = met()
    ident = next(IDS)
    engine.open(authority.says(ident), ident, 0.0)
    authority.boots, authority.time = 1, 9
    with pytest.raises(Reported):
        engine.open(authority.says(ident, flags=1, report=Why.not_in_time_window), ident, 0.0)
    assert value(engine.open(authority.says(ident), ident, 0.0)) == 4711


@pytest.mark.parametrize(
    "why", [Why.unknown_user, Why.wrong_digest, Why.decryption_error, Why.unsupported_level]
)
def test_a_refusal_is_said(why: Why) -> None:
    engine, authority = met()
    ident = next(IDS)
    with pytest.raises(Reported) as told:
        engine.open(authority.says(ident, flags=0, report=why), ident, 0.0)
    assert (told.value.why, told.value.again) == (why, False)


def test_a_new_engine_at_the_address_is_met_anew() -> None:
    engine, _ = met()
    ident = next(IDS)
    stranger = Authority(engine_id=OTHER_ID)
    with pytest.raises(Reported) as told:
        engine.open(stranger.says(ident, flags=0, report=Why.unknown_engine), ident, 0.0)
    assert told.value.again
    assert value(engine.open(stranger.says(ident), ident, 0.0)) == 4711


def test_what_cannot_be_used_is_said() -> None:
    for wrong in (
        {"user": ""},
        {"user": "x" * 33},
        {"auth_protocol": "ROT13"},
        {"priv_protocol": "AES-256"},
        {"auth_protocol": ""},
        {"auth_secret": SecretStr("")},
    ):
        with pytest.raises(ValueError, match="SNMPv3"):
            usm.user(replace(AUTH, **wrong))  # type: ignore[arg-type]
    assert "rahasia" not in repr(usm.user(AUTH))
    assert usm.user(AUTH).auth_key.hex() not in repr(usm.user(AUTH)) + repr(Engine(usm.user(AUTH)))


def outcome(engine: Engine, data: bytes, ident: bytes) -> object:
    try:
        return engine.open(data, ident, 0.0)
    except (ber.Malformed, Stale, Reported) as error:
        return f"{type(error).__name__} {error if isinstance(error, Reported) else ''}"


def test_no_mutant_of_a_right_response_is_taken_and_all_are_judged_as_if_they_were_the_first() -> None:
    dice = random.Random(11)
    learned, authority = met()
    ident = next(IDS)
    good = authority.says(ident)
    learned.open(good, ident, 0.0)
    for _ in range(hostile.count(4000)):
        data = hostile.mutated(dice, good)
        if data == good:
            continue
        found = outcome(learned, data, ident)
        assert isinstance(found, str), data.hex()
        if dice.random() < 0.1:
            assert found == outcome(met()[0], data, ident)
    assert value(learned.open(good, ident, 0.0)) == 4711
