"""The chain at one network device, with a command line that is a list: what is typed, and what is taken back when."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from pydantic import SecretStr

from infra.hosts import Host
from infra.network_apply import Configured, configure
from infra.network_dialects import dialect
from infra.network_proof import NotConfiguredError
from infra.network_secrets import with_network_user
from infra.network_session import NotReachedError, RefusedError
from inventory.credentials import OpenCredential

IOS = dialect("ios")
WANTED = "%only ntp server\nntp server 192.0.2.1\n"


class Paper:
    """A device on paper: its lines, how many logins it still allows, and whether it forgets what is typed."""

    def __init__(self, *lines: str, logins: int = 2, deaf: bool = False, dumb_after: int = 1000) -> None:
        self.lines, self.logins, self.deaf, self.dumb_after = list(lines), logins, deaf, dumb_after
        self.saved = False

    def login(self) -> "Paper":
        if not self.logins:
            raise NotReachedError("192.0.2.7:22 refused the login of 'noc'.")
        self.logins -= 1
        return self

    def ask(self, command: str) -> str:
        self.dumb_after -= 1
        if self.dumb_after < 0:
            raise RefusedError(f"after '{command}' no prompt came within 20 s")
        return "\n".join(self.lines)

    def run(self, commands: Sequence[str]) -> None:
        raise AssertionError("nothing is armed without a time")

    def send(self, commands: Sequence[str], commit: str = "") -> None:
        for command in commands:
            if command.startswith("no "):
                self.lines = [line for line in self.lines if line != command.removeprefix("no ")]
            elif not self.deaf:
                self.lines.append(command)

    def try_all(self, groups: Sequence[Sequence[str]]) -> None:
        for group in groups:
            self.send(group)

    def save(self) -> None:
        self.saved = True

    def close(self) -> None: ...


def run(paper: Paper, *, check: bool = False) -> Configured:
    """Configure the paper device."""
    return configure(paper.login, IOS, WANTED, check=check)


def test_a_check_types_nothing() -> None:
    paper = Paper("ntp server 192.0.2.9")
    found = run(paper, check=True)
    assert (found.changed, found.diff) == (
        True,
        "- ntp server 192.0.2.9\n+ ntp server 192.0.2.1\n",
    )
    assert (paper.lines, paper.saved) == (["ntp server 192.0.2.9"], False)


def test_what_was_read_back_and_proven_is_saved() -> None:
    paper = Paper("ntp server 192.0.2.9")
    assert run(paper).changed
    assert (paper.lines, paper.saved, paper.logins) == (["ntp server 192.0.2.1"], True, 0)
    assert not run(Paper("ntp server 192.0.2.1", logins=1)).changed


@pytest.mark.parametrize(
    ("paper", "said"),
    [
        (Paper("ntp server 192.0.2.9", logins=1), "a second login did not work .* all of it was taken back"),
        (
            Paper("ntp server 192.0.2.9", deaf=True),
            "read back, it does not hold .* 1 lines could not be taken back",
        ),
        (Paper("ntp server 192.0.2.9", dumb_after=1), "no prompt came .* what was typed may still stand"),
    ],
)
def test_what_cannot_be_proven_is_taken_back_and_never_saved(paper: Paper, said: str) -> None:
    with pytest.raises(NotConfiguredError, match=said):
        run(paper)
    assert not paper.saved


USER = OpenCredential(
    "v3",
    "snmp-v3",
    "siaga",
    "SHA",
    "AES",
    {"auth": SecretStr("auth-secret"), "priv": SecretStr("priv-secret")},
)


def test_a_devices_user_has_its_words_and_its_passphrases_apart() -> None:
    made = with_network_user(Host("sw", "sw", 1), USER, dialect("vrp"))
    assert made.variables == {"snmp_user": "siaga", "snmp_auth": "sha", "snmp_priv": "aes128"}
    assert set(made.secrets) == {"siaga_secret_snmp_auth", "siaga_secret_snmp_priv"}
    assert with_network_user(Host("sw", "sw", 1), None, IOS).variables["snmp_user"] == ""


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"auth_protocol": "SHA-512"}, "a routeros device knows MD5, SHA and AES only"),
        ({"kind": "snmp-v2c"}, "not of kind snmp-v3"),
        ({"username": "si aga"}, "user name"),
        (
            {"secrets": {"auth": SecretStr("with blank"), "priv": SecretStr("x")}},
            "its auth secret holds a blank",
        ),
    ],
)
def test_a_user_that_the_platform_cannot_have_is_refused(changed: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        with_network_user(Host("sw", "sw", 1), replace(USER, **changed), dialect("routeros"))  # type: ignore[arg-type]
