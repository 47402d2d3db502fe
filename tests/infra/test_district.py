"""Disconnected work: a plan goes out on a file, is carried out without an inventory, and its results come home."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from infra import stick
from infra.district import carry_out_file, results_path, work_folder
from infra.exporting import export_plan, import_results
from infra.plans import apply_plan, make_plan
from siaga.errors import AuthError, InvalidError, NotFoundError, TemporaryError
from siaga.settings import Settings
from tests.cli_runner import runner
from tests.infra.conftest import AUTH, PRIV, Regency, files
from tests.infra.test_faults import TOUCH
from tests.infra.test_secrets import everything, found

PASSPHRASE = "gerbang utara 1987"


def touched(regency: Regency) -> list[str]:
    return [h.name for h in regency.farm.hosts if "etc/who" in files(h.root)]


@pytest.mark.parametrize("farm", [3], indirect=True)
def test_a_plan_is_carried_out_elsewhere_and_taken_up_where_it_was_cut_off(
    regency: Regency, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    regency.play("touch", TOUCH)
    name = make_plan(regency.desk, "touch", "role=server", [], lambda _: None).plan
    path = tmp_path / "stick" / "mauk.plan"
    path.parent.mkdir()
    with pytest.raises(InvalidError, match="weak-passphrase"):
        export_plan(regency.desk, name, path, "short")
    assert export_plan(regency.desk, name, path, PASSPHRASE) == 3
    with pytest.raises(InvalidError, match=r"plan-used: .*taken elsewhere"):
        apply_plan(regency.desk, name, lambda _: None)
    regency.play("touch", "- hosts: all\n  tasks: not what was planned\n")

    away = Settings(home=tmp_path / "laptop")
    secrets = [AUTH, PRIV, regency.farm.password, regency.farm.key.splitlines()[2], PASSPHRASE]

    def carried(watch: Any) -> Any:
        return carry_out_file(away, path, PASSPHRASE, "petugas", lambda: regency.now, watch)

    def pulled_out(told: Any) -> None:
        if getattr(told, "name", "") == "batch" and "canary" not in told.detail:
            raise TemporaryError("cannot-write", "The stick is gone.")

    with pytest.raises(TemporaryError, match="The stick is gone"):
        carried(pulled_out)
    assert touched(regency) == ["srv-1"]
    done = carried(lambda _: None)
    assert (done.status, [h.host for h in done.hosts]) == ("ok", ["srv-2", "srv-3"])
    assert touched(regency) == ["srv-1", "srv-2", "srv-3"]
    with pytest.raises(InvalidError, match="plan-used: This plan was carried out already"):
        carried(lambda _: None)

    kept = list(everything([path.parent, work_folder(path)]))
    assert results_path(path) in kept
    assert [(str(p), s) for p in kept for s in found(secrets, p.read_bytes())] == []
    assert not (tmp_path / "laptop").exists(), "no inventory was needed, and none was made"

    results = results_path(path)
    whole = results.read_bytes()
    for at in (20, len(whole) // 2, len(whole) - 1):
        results.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises((AuthError, InvalidError, NotFoundError)):
            import_results(regency.desk, results)
    results.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(AuthError, match="file-changed"):
        import_results(regency.desk, results)
    results.write_bytes(whole)
    assert import_results(regency.desk, results) == (name, [2, 3])
    assert import_results(regency.desk, results) == (name, [])

    monkeypatch.setenv("SIAGA_HOME", str(regency.settings.home))
    siaga = runner(capsys)
    listed = json.loads(siaga("job", "list", "-o", "json").well().out)
    assert [(j["job"], j["status"], j["plan_status"]) for j in listed] == [
        (3, "ok", "applied"),
        (2, "failed", "applied"),
        (1, "ok", "applied"),
    ]
    assert listed[0]["origin"].endswith(f"job 2 of {name}")
    shown = json.loads(siaga("job", "show", "3", "-o", "json").well().out)
    assert {h["host"]: h["status"] for h in shown["hosts"]} == {"srv-2": "changed", "srv-3": "changed"}
    assert [s["name"] for s in shown["steps"]][:2] == ["lock", "window"]


@pytest.fixture
def sealed(regency: Regency, tmp_path: Path) -> Path:
    """A file as `siaga job export` writes one, of a plan without hosts."""
    head = {
        "plan": "p",
        "journey": "00",
        "expires_at": (regency.now + timedelta(hours=1)).isoformat(),
        "wrap": stick.wrapped(bytes(32), PASSPHRASE),
    }
    path = tmp_path / "p.plan"
    stick.write(path, stick.sealed(stick.PLAN, head, {"hosts": [], "files": {}}, bytes(32)), new=True)
    return path


def test_a_file_that_was_changed_or_has_expired_is_refused(regency: Regency, sealed: Path) -> None:
    def refused(passphrase: str = PASSPHRASE, late: timedelta = timedelta(0)) -> str:
        with pytest.raises((AuthError, InvalidError, NotFoundError)) as caught:
            carry_out_file(
                regency.settings, sealed, passphrase, "x", lambda: regency.now + late, lambda _: None
            )
        return caught.value.code

    assert refused("another passphrase") == "wrong-passphrase"
    assert refused(late=timedelta(hours=2)) == "plan-expired"
    whole = sealed.read_bytes()
    head = whole.index(b"expires_at")
    sealed.write_bytes(whole[: head + 15] + b"9" + whole[head + 16 :])
    assert refused() == "file-changed", "nor can its time be moved"
    sealed.write_bytes(whole[:-1])
    assert refused() == "file-changed"
    sealed.write_bytes(b"PK\x03\x04" + whole)
    assert refused() == "not-a-plan-file"
    sealed.unlink()
    assert refused() == "no-such-file"
    assert not work_folder(sealed).exists()


def test_a_file_never_leaves_its_folder(regency: Regency, tmp_path: Path) -> None:
    head = {
        "plan": "p",
        "journey": "00",
        "expires_at": (regency.now + timedelta(hours=1)).isoformat(),
        "wrap": stick.wrapped(bytes(32), PASSPHRASE),
    }
    content = {"hosts": [], "files": {"../../evil": ""}, "known_hosts": "", "plan": {}}
    path = tmp_path / "stick.plan"
    stick.write(path, stick.sealed(stick.PLAN, head, content, bytes(32)), new=True)
    with pytest.raises(InvalidError, match="would lie elsewhere"):
        carry_out_file(regency.settings, path, PASSPHRASE, "x", lambda: regency.now, lambda _: None)
    with pytest.raises(InvalidError, match="file-exists"):
        stick.write(path, b"", new=True)
