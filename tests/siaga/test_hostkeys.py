"""Trust on first use: what the known_hosts file holds, and what it lets in."""

import hmac
import stat
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncssh
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siaga.errors import AuthError, SiagaError
from siaga.hostkeys import HostKey, HostKeys, written


def _new() -> HostKey:
    kind, base64 = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().split()[:2]
    return HostKey(kind, base64)


ONE, TWO = _new(), _new()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "known_hosts"


def test_the_first_key_is_written_down_and_then_expected(path: Path) -> None:
    hosts = HostKeys(path)
    hosts.check("rtr1", "10.0.0.1", 2022, ONE)
    hosts.check("rtr1", "10.0.0.1", 2022, ONE)
    assert path.read_text() == f"[10.0.0.1]:2022 ssh-ed25519 {ONE.base64}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(
        AuthError, match=r"The host key of rtr1 has changed .* run: siaga trust rtr1$"
    ) as caught:
        hosts.check("rtr1", "10.0.0.1", 2022, TWO)
    assert caught.value.code == "host-key-changed"
    assert ONE.fingerprint in caught.value.sentence
    assert TWO.fingerprint in caught.value.sentence
    assert hosts.of("10.0.0.1", 2022) == (ONE,)


def test_another_port_or_host_is_another_name(path: Path) -> None:
    hosts = HostKeys(path)
    for key, host, port in ((ONE, "10.0.0.1", 22), (TWO, "10.0.0.1", 2022), (TWO, "10.0.0.2", 22)):
        hosts.check("x", host, port, key)
    names = [line.split()[0] for line in path.read_text().splitlines()]
    assert names == ["10.0.0.1", "[10.0.0.1]:2022", "10.0.0.2"]


def test_a_key_of_another_type_is_a_changed_key(path: Path) -> None:
    hosts = HostKeys(path)
    hosts.check("rtr1", "h", 22, ONE)
    with pytest.raises(AuthError, match="has changed"):
        hosts.check("rtr1", "h", 22, HostKey("ssh-rsa", TWO.base64))


def test_no_new_key_is_accepted_when_told_so(path: Path) -> None:
    with pytest.raises(AuthError, match="not known and new keys are not accepted") as caught:
        HostKeys(path, accept_new=False).check("rtr1", "h", 22, ONE)
    assert caught.value.code == "host-key-unknown"
    assert not path.exists()
    HostKeys(path).trust("h", 22, ONE)
    HostKeys(path, accept_new=False).check("rtr1", "h", 22, ONE)


def test_trust_replaces_the_key_and_leaves_other_lines_alone(path: Path) -> None:
    path.parent.mkdir()
    others = f"# kept by hand\n\nother,h2 ssh-ed25519 {ONE.base64} a comment\nnot a key line\n"
    path.write_text(f"h,h3 ssh-ed25519 {ONE.base64}\n" + others)
    hosts = HostKeys(path)
    hosts.trust("h", 22, TWO)
    assert path.read_text() == f"h3 ssh-ed25519 {ONE.base64}\n{others}h ssh-ed25519 {TWO.base64}\n"
    hosts.forget("h", 22)
    assert path.read_text() == f"h3 ssh-ed25519 {ONE.base64}\n{others}"


def test_hashed_names_and_patterns_are_understood(path: Path) -> None:
    path.parent.mkdir()
    salt = b"0123456789abcdefghij"
    digest = hmac.new(salt, b"[10.0.0.9]:2022", "sha1").digest()
    hashed = f"|1|{b64encode(salt).decode()}|{b64encode(digest).decode()}"
    path.write_text(
        f"{hashed} ssh-ed25519 {ONE.base64}\n*.tangerang,!bad.tangerang ssh-ed25519 {TWO.base64}\n"
    )
    hosts = HostKeys(path)
    assert hosts.of("10.0.0.9", 2022) == (ONE,)
    assert hosts.of("10.0.0.9", 22) == ()
    assert hosts.of("RTR.tangerang", 22) == (TWO,)
    assert hosts.of("bad.tangerang", 22) == ()


def test_a_revoked_key_is_refused_even_from_a_new_host(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(f"@revoked * ssh-ed25519 {ONE.base64}\n")
    with pytest.raises(AuthError, match="revoked") as caught:
        HostKeys(path).check("rtr1", "h", 22, ONE)
    assert caught.value.code == "host-key-revoked"
    HostKeys(path).check("rtr1", "h", 22, TWO)


def test_openssh_rules_find_the_same_key(path: Path) -> None:
    hosts = HostKeys(path)
    hosts.check("a", "10.0.0.1", 22, ONE)
    hosts.check("b", "10.0.0.1", 2022, TWO)
    known = asyncssh.read_known_hosts(str(path))
    for port, key in ((None, ONE), (2022, TWO)):
        trusted = known.match("10.0.0.1", "10.0.0.1", port)[0]
        assert {k.export_public_key().decode().split()[1] for k in trusted} == {key.base64}


def test_many_at_once_lose_no_key(path: Path) -> None:
    keys = [HostKey("ssh-ed25519", b64encode(bytes([i] * 32)).decode()) for i in range(40)]

    def meet(i: int) -> None:
        HostKeys(path).check(f"d{i}", f"10.0.0.{i}", 22, keys[i])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(meet, range(40)))
    assert [HostKeys(path).of(f"10.0.0.{i}", 22) for i in range(40)] == [(k,) for k in keys]


def test_a_write_that_fails_leaves_the_old_file_whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = HostKeys(path)
    hosts.check("a", "a", 22, ONE)
    before = path.read_text()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(
        SiagaError, match=r"known_hosts, cannot be read or written: No space left on device\.$"
    ):
        hosts.check("b", "b", 22, TWO)
    assert path.read_text() == before
    assert sorted(p.name for p in path.parent.iterdir()) == ["known_hosts", "known_hosts.lock"]


def test_a_fingerprint_is_the_one_that_ssh_keygen_shows() -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    kind, base64 = key.export_public_key().decode().split()[:2]
    assert HostKey(kind, base64).fingerprint == key.get_fingerprint()


def test_a_name_is_written_as_openssh_does() -> None:
    assert (written("RTR1", 22), written("10.0.0.1", 830)) == ("rtr1", "[10.0.0.1]:830")


@given(st.lists(st.one_of(st.text(max_size=60), st.just(f"h ssh-ed25519 {ONE.base64}"))).map("\n".join))
def test_no_file_whatever_breaks_the_reading(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("home") / "known_hosts"
    path.write_text(text, "utf-8")
    hosts = HostKeys(path)
    hosts.trust("rtr1", 22, TWO)
    hosts.check("rtr1", "rtr1", 22, TWO)
