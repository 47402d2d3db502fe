"""Noise is no change, a change is shown exactly, and no secret stays: pairs of every make; screens of odd devices."""

import re
import tomllib
from difflib import unified_diff
from pathlib import Path
from typing import Any

import pytest

from inventory.platforms import config_of, platforms
from monitor.configs.clean import LONGEST_LINE, GarbledError, lines_of
from monitor.configs.complete import lacking, refusal, shrunk
from monitor.configs.normalise import MASK, noiseless, normal, secretless
from siaga.secrets import Vault
from tests.monitor.backup_world import text_of
from tests.simulators.cli.dialect import dialect, names

PAIRS: dict[str, Any] = tomllib.loads((Path(__file__).parent / "config_pairs.toml").read_text("utf-8"))
FORMS: dict[str, Any] = tomllib.loads((Path(__file__).parent / "secret_forms.toml").read_text("utf-8"))
# Every secret of the configurations has this in it, in every form that the makes print.
SEEDED = re.compile(r"(?i)rahasia\w+")
VAULT = Vault(bytes(range(32)))


def mark(secret: str) -> str:
    return f"<secret:{VAULT.mark(secret)[:8]}>"


def kept(make: str, text: str) -> tuple[str, ...]:
    known = config_of(dialect(make).platform)
    assert known is not None
    return normal(text.split("\n"), known[1], mark).lines


def edited(text: str, edits: list[list[str]]) -> str:
    for before, after in edits:
        assert before in text, before
        text = text.replace(before, after, 1)
    return text


@pytest.mark.parametrize("make", names())
def test_the_cheap_look_tells_noise_from_change(make: str) -> None:
    """Blocks (certificates) may differ at the cheap look and be the same in the normal form; never the other way."""
    known = config_of(dialect(make).platform)
    assert known is not None
    base, pair = text_of(make), PAIRS[make]
    look = {k: noiseless(edited(base, pair[k]).split("\n"), known[1]) for k in ("noise", "change")}
    assert look["change"] != noiseless(base.split("\n"), known[1])
    if make not in ("ios", "iosxe", "fortigate"):
        assert look["noise"] == noiseless(base.split("\n"), known[1])


def test_there_is_a_pair_of_every_make() -> None:
    assert sorted(PAIRS) == names()
    assert len(PAIRS) >= 12


@pytest.mark.parametrize("make", names())
def test_noise_is_no_change(make: str) -> None:
    base = text_of(make)
    noisy = edited(base, PAIRS[make]["noise"])
    assert noisy != base
    assert kept(make, noisy) == kept(make, base)


@pytest.mark.parametrize("make", names())
def test_a_change_is_shown_and_nothing_else(make: str) -> None:
    base, pair = text_of(make), PAIRS[make]
    changed = edited(edited(base, pair["change"]), pair["noise"])
    lines = unified_diff(kept(make, base), kept(make, changed), n=0, lineterm="")
    shown = [x for x in lines if not x.startswith(("---", "+++", "@@"))]
    assert sorted(shown) == sorted(pair["shows"])


@pytest.mark.parametrize("make", names())
def test_no_secret_stays_in_any_form(make: str) -> None:
    text = text_of(make)
    assert len(set(SEEDED.findall(text))) >= 6
    assert SEEDED.findall("\n".join(kept(make, text))) == []


@pytest.mark.parametrize("platform", sorted(FORMS))
def test_no_form_of_a_secret_is_overlooked(platform: str) -> None:
    known = config_of(platform)
    assert known is not None
    lines = FORMS[platform]["lines"].splitlines()
    told = normal(lines, known[1], mark).lines
    assert [x for x in told if SEEDED.search(x)] == []
    assert sum(x.count("<secret") for x in told) >= len([x for x in lines if SEEDED.search(x)]) - 2


def test_there_are_forms_of_every_platform_that_can_be_backed_up() -> None:
    known = {p.name: c[1] for p in platforms() if (c := config_of(p.name))}
    own = {c.secrets for name, c in known.items() if name in FORMS}
    others = {name for name, c in known.items() if c.secrets and c.secrets not in own}
    assert others == set()
    assert known.keys() >= FORMS.keys()


HARMLESS = """
service password-encryption
no snmp-server group x v3 priv
aaa authentication login default group tacacs+ local
ip community-list standard x permit 65000:100
 set community 65000:100 additive
key chain OSPF
 key 1
crypto key generate rsa modulus 2048
ip ssh version 2
 ip ospf authentication message-digest
 authentication mode md5
router isis 1
 neighbor 10.1.1.1 remote-as 65000
snmp-agent sys-info version v3
username a privilege 15
vrrp 1 priority 110
security passwords min-length 12
set system services ssh protocol-version v2
/ip service set telnet disabled=yes
radius-server timeout 3
"""


@pytest.mark.parametrize("platform", ["ios", "vrp", "junos", "routeros", "vyos", "asa", "ruijie", "zxa10"])
def test_what_is_no_secret_is_shown_as_it_is(platform: str) -> None:
    known = config_of(platform)
    assert known is not None
    lines = [x for x in HARMLESS.splitlines() if x]
    assert list(normal(lines, known[1], mark).lines) == lines


@pytest.mark.parametrize("platform", sorted(FORMS))
def test_no_form_becomes_evidence_of_a_file_that_nobody_backed_up(platform: str) -> None:
    known = config_of(platform)
    assert known is not None
    text = secretless(f"!\n{FORMS[platform]['lines']}!\n", known[1])
    assert SEEDED.findall(text) == []
    assert text.startswith("!\n"), "noise stays: it is not ours to tidy"


@pytest.mark.parametrize("make", [m for m in names() if m != "fortigate"])
def test_a_changed_secret_is_a_change_that_tells_nothing(make: str) -> None:
    text = text_of(make)
    first = SEEDED.search(text)
    assert first is not None
    after = kept(make, text.replace(first[0], first[0] + "Z", 1))
    new = [line for line in after if line not in kept(make, text)]
    assert len(new) == 1
    assert "<secret:" in new[0]


def test_the_secrets_of_a_make_nobody_knows_are_masked_too() -> None:
    lines = [
        "hostname x",
        "enable secret 5 $1$abcd$efghijklmnop",
        "user a password Rahasia1",
        "-----BEGIN RSA PRIVATE KEY-----",
    ]
    lines += ["MIIRahasia2", "-----END RSA PRIVATE KEY-----", "key value"]
    told = normal(lines, None, lambda _: MASK, {"value"}).lines
    assert told == ("hostname x", f"enable secret 5 {MASK}", f"user a password {MASK}", MASK, f"key {MASK}")


def test_a_secret_of_the_vault_is_masked_wherever_it_stands() -> None:
    told = normal(["banner motd hub kami di Kunci-Pintu-9"], None, mark, {"Kunci-Pintu-9"}).lines
    assert told == (f"banner motd hub kami di {mark('Kunci-Pintu-9')}",)


def test_who_changed_it_last_is_read_before_it_is_left_out() -> None:
    known = config_of("ios")
    assert known is not None
    assert normal(text_of("ios").split("\n"), known[1], mark).author == "budi"


SCREENS = [
    (b"a\r\nb\r\n", ["a", "b", ""]),
    (b"vlan 1\r\n --More-- \r          \rvlan 2\r\n", ["vlan 1", "vlan 2", ""]),
    (b"  ---- More ----\x1b[16D                \x1b[16Dvlan 3\r\n", ["vlan 3", ""]),
    (b"\x1b[2J\x1b[1;1H\x1b]0;judul\x07#\x1b[31mmerah\x1b[0m", ["#merah"]),
    (b"description S\xe3o Jos\xe9", ["description São José"]),
    ("description Kantor – é".encode(), ["description Kantor – é"]),
    (b"pas\b\b\bvlan", ["vlan"]),
]


@pytest.mark.parametrize(("octets", "lines"), SCREENS)
def test_a_screen_is_read_as_a_person_would(octets: bytes, lines: list[str]) -> None:
    assert lines_of(octets) == lines


@pytest.mark.parametrize(
    "octets", [b"\x7fELF\x02\x01\x00\x00" * 40, b"\x01\x02\x03" * 400, b"x" * (LONGEST_LINE + 1)]
)
def test_what_is_no_text_is_refused(octets: bytes) -> None:
    with pytest.raises(GarbledError):
        lines_of(octets)


@pytest.mark.parametrize("make", [m for m in names() if m not in ("fiberhome",)])
def test_a_whole_configuration_is_whole_and_a_cut_one_is_not(make: str) -> None:
    known = config_of(dialect(make).platform)
    assert known is not None
    config, lines = known[1], text_of(make).split("\n")
    assert lacking(lines, config) == ""
    assert refusal(lines, config) == ""
    assert refusal([*dialect(make).unknown], config) or make in ("airos", "routeros")
    if config.ends:
        assert "cut short" in lacking(lines[: len(lines) // 2], config)
    assert lacking([], config) != ""
    assert lacking(["Selamat datang", "silakan", "masuk"], config) != ""


def test_half_of_what_it_was_is_read_again() -> None:
    assert shrunk(49, 100)
    assert not shrunk(50, 100)
    assert not shrunk(3, 0)
