"""Who did it is what the kernel says; a variable of the environment changes nothing but who stands behind root."""

import os
import pwd
from pathlib import Path

import pytest

from inventory.access import rights
from siaga.settings import Access
from siaga.who import account, who
from tests.cli_runner import runner

ME = pwd.getpwuid(os.getuid()).pw_name


def test_no_variable_makes_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "mallory")
    assert who() == ME


def test_root_by_way_of_sudo_says_so_and_has_the_rights_of_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getuid", lambda: 0)
    monkeypatch.setenv("SUDO_USER", "daemon")
    assert who() == "root (sudo: daemon)"
    assert account(who()) == "root"
    entries = [Access(user="daemon", role="admin"), Access(user="root", role="operator")]
    assert [e.role for e in rights(who(), entries).entries or ()] == ["operator"]
    monkeypatch.setenv("SUDO_USER", "nobody-of-that-name")
    assert who() == "root"


def test_only_of_root_sudo_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getuid", lambda: pwd.getpwnam("daemon").pw_uid)
    monkeypatch.setenv("SUDO_USER", "root")
    assert who() == "daemon"


def test_the_history_says_who(
    scrubbed: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "mallory")
    siaga = runner(capsys)
    siaga("init").well()
    siaga("device", "add", "rtr-1").well()
    said = siaga("device", "history", "rtr-1", "-o", "json").well().out
    assert f'"who": "{who()}"' in said
    assert "mallory" not in said
