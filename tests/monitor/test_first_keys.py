"""Host keys, whoever meets them first: noted once in the history, and a changed one is told and stops the login."""

from pathlib import Path

import asyncssh
import pytest
from backup_world import World, simulated, world
from sqlmodel import select

from inventory.host_keys import note_first_uses
from inventory.models_people import Note
from inventory.store import reading, session
from monitor.models import Alert
from siaga.clock import utc_now
from siaga.hostkeys import HostKey
from tests.cli_runner import Siaga, runner

OTHER = HostKey("ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAIE0" + "A" * 41)


@pytest.fixture
def siaga(capsys: pytest.CaptureFixture[str]) -> Siaga:
    return runner(capsys)


def notes(made: World) -> list[tuple[str, str, str]]:
    with reading(made.engine) as opened:
        return [(n.target, n.who, n.text.partition(": ")[0]) for n in opened.exec(select(Note))]


def alerts(made: World) -> list[tuple[str, str, bool]]:
    with reading(made.engine) as opened:
        return [(a.rule, a.subject, a.closed_at is None) for a in opened.exec(select(Alert))]


def polled(made: World, siaga: Siaga, name: str = "sw1") -> None:
    made.put("device", name=name, transport="ssh", credential=f"ssh-{name}")
    siaga("poll")


def test_a_poll_notes_the_key_it_trusts_and_tells_of_a_changed_one(scrubbed: Path, siaga: Siaga) -> None:
    with world(scrubbed, {"sw1": simulated("ios")}) as made:
        polled(made, siaga)
        port = made.ports["sw1"]
        first = ("sw1", "siaga", "SSH host key trusted on first use")
        assert notes(made) == [first]
        siaga("poll")
        siaga("backup", "run").well()
        assert notes(made) == [first], "it is noted once, whoever comes next"
    device = simulated("ios")
    with world(scrubbed, {"sw1": device}, key=asyncssh.generate_private_key("ssh-ed25519")) as made:
        known = scrubbed / "known_hosts"
        known.write_text(known.read_text().replace(f":{port} ", f":{made.ports['sw1']} "))
        polled(made, siaga)
        assert ("host-key-changed", "sw1", True) in alerts(made)
        assert device.logins == 0
        siaga("trust", "sw1", "--yes").well()
        siaga("poll")
        assert ("host-key-changed", "sw1", False) in alerts(made)
        assert ("sw1", "SSH host key accepted in the place of another") in {(t, x) for t, _, x in notes(made)}


def test_what_openssh_wrote_is_noted_as_well(scrubbed: Path) -> None:
    """Ansible's OpenSSH adds its lines to the same file, and nobody is asked."""
    with world(scrubbed, {"sw1": simulated("ios")}) as made:
        (scrubbed / "known_hosts").write_text(
            f"[127.0.0.1]:{made.ports['sw1']} {OTHER.kind} {OTHER.base64}\n"
            f"10.9.9.9 {OTHER.kind} {OTHER.base64}\n* {OTHER.kind} {OTHER.base64}\n"
        )
        for told in (1, 0):
            with session(made.engine) as writing:
                assert note_first_uses(writing, scrubbed, who="budi", now=utc_now(), cause="job:7") == told
        assert notes(made) == [("sw1", "budi", "SSH host key trusted on first use")]


def test_a_key_that_was_never_seen_has_not_changed(
    scrubbed: Path, siaga: Siaga, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIAGA_SSH__ACCEPT_NEW_HOST_KEYS", "false")
    with world(scrubbed, {"sw1": simulated("ios")}) as made:
        assert "is not known and new keys are not accepted" in siaga("backup", "run", "-o", "json").out
        polled(made, siaga)
        assert [a for a in alerts(made) if a[0] == "host-key-changed"] == []
