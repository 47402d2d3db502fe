"""Backups of real SSH servers whose command lines remember: what is kept, compared, blamed, searched, given back."""

import json
import logging
import os
import re
import sqlite3
import subprocess
from datetime import timedelta
from pathlib import Path

import asyncssh
import pytest
from sqlmodel import select

from inventory.store import reading, session
from monitor.config_age import last_backups
from monitor.configs import service, store
from monitor.configs.due import due
from monitor.configs.repo import Repository
from monitor.models import Alert, DeviceEvent
from monitor.wishes import BACKUP, wish, wishes
from siaga.clock import utc_now
from siaga.secrets import open_vault
from siaga.settings import Backup
from tests.cli_runner import Siaga, runner
from tests.monitor.backup_world import World, simulated, world
from tests.simulators.cli.dialect import names
from tests.simulators.cli.sets import Sets

SEEDED = re.compile(r"(?i)rahasia\w+")
COMMANDS = (
    ("backup", "list", "-o", "wide"),
    ("backup", "search", "e"),
    ("runs", "-o", "json"),
    ("note", "list", "-o", "json"),
    ("alert", "list", "-o", "json"),
    ("compliance", "check", "-o", "json"),
    ("compliance", "list", "-o", "json"),
    ("finding", "list", "--all", "-o", "json"),
    ("device", "list", "-o", "json"),
    ("export", "ansible"),
    ("history", "list", "-o", "json"),
)


@pytest.fixture
def siaga(capsys: pytest.CaptureFixture[str]) -> Siaga:
    return runner(capsys)


def configured(made: World, name: str, *lines: str) -> None:
    """Configure a device by hand, as somebody at its console."""
    where: list = []
    for line in lines:
        assert made.devices[name].config.enter(line, where) is None, line
    made.devices[name].note_change("siti")


def commits(home: Path) -> list[str]:
    said = subprocess.run(
        ["git", "--git-dir", home / "configs.git", "log", "--format=%an|%s"],
        capture_output=True,
        text=True,
        check=True,
    )
    return said.stdout.splitlines()


def everything(home: Path) -> str:
    """Return all that Git holds, all objects of it, and every log and file of the home that is no database."""
    git = ["git", "--git-dir", str(home / "configs.git")]
    run = lambda *a: subprocess.run([*git, *a], capture_output=True, text=True, check=True).stdout  # noqa: E731
    return run("log", "-p", "--all") + run("fsck", "--full", "--no-progress")


def opened_texts(made: World) -> str:
    """Return the full texts that are sealed in the database."""
    vault = open_vault(made.settings.home)
    with reading(made.engine) as opened:
        return "\n".join(
            store.unsealed(vault, v) for i in made.ids.values() for v in store.versions(opened, i)
        )


def test_no_secret_of_any_make_reaches_git_a_log_the_screen_or_the_database(
    scrubbed: Path, siaga: Siaga, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    devices = {make: simulated(make) for make in names()}
    seeds = {found for d in devices.values() for found in SEEDED.findall("\n".join(d.running()))}
    assert len(seeds) > 120
    said = ""
    with world(scrubbed, devices) as made:
        first = siaga("backup", "run", "-o", "json")
        rows = json.loads(first.out)
        assert {r["device"]: r["result"] for r in rows} == dict.fromkeys(devices, "stored"), first.err
        again = siaga("backup", "run").well()
        count = len(devices)
        assert again.err.startswith(f"{count} devices: 0 changed, {count} unchanged, 0 not backed up.")
        assert len(commits(scrubbed)) == 1, "an unchanged round adds no commit"
        for name in devices:
            configured(made, name, *CHANGES[made.devices[name].dialect.shape])
            if isinstance(made.devices[name].config, Sets):
                made.devices[name].config.commit()
        said += siaga("backup", "run", "-o", "json").well().out
        assert len(commits(scrubbed)) == 2
        for command in COMMANDS:
            done = siaga(*command)
            said += done.out + done.err
        for name in devices:
            for verb in ("show", "diff", *(("blame", "restore") if name in ("ios", "fortigate") else ())):
                done = siaga("backup", verb, name).well()
                assert done.out, (verb, name)
                said += done.out + done.err
        passwords = {d.password for d in devices.values()} | {d.enable_secret for d in devices.values()} - {
            ""
        }
        full = opened_texts(made)
    assert [s for s in seeds if s not in full] == [], "every one was really read, and kept where it may be"
    assert [s for s in seeds if s in said] == []
    assert [s for s in seeds if s in everything(scrubbed)] == []
    ours = "\n".join(r.getMessage() for r in caplog.records if not r.name.startswith("asyncssh"))
    assert [s for s in (*seeds, *passwords) if s in ours] == []
    with sqlite3.connect(scrubbed / "siaga.db") as plain:
        dumped = "\n".join(plain.iterdump())
    plain.close()
    assert [s for s in (*seeds, *passwords) if s in dumped or s.encode().hex() in dumped.lower()] == []


# What is configured by hand on a device of each shape; none of it is a secret.
CHANGES = {
    "blocks": ("vlan 77",),
    "menus": ("/system identity set name=RTR-LAIN",),
    "tables": ("config system global", "set admintimeout 30", "end"),
    "sets": ("set system host-name LAIN",),
    "keys": ("sed -i 's/^radio.1.freq=.*/radio.1.freq=5240/' /tmp/system.cfg",),
}


def test_a_change_nobody_announced_is_noticed_shown_and_has_a_name(scrubbed: Path, siaga: Siaga) -> None:
    with world(scrubbed, {"sw1": simulated("ios"), "rtr1": simulated("routeros")}) as made:
        siaga("backup", "run").well()
        configured(made, "sw1", "interface GigabitEthernet1/0/2", "description Ruang Sekcam")
        ran = json.loads(siaga("backup", "run", "-o", "json").well().out)
        assert [(r["device"], r["result"], r["cause"], r["author"]) for r in ran] == [
            ("rtr1", "unchanged", "", ""),
            ("sw1", "stored", "out-of-band", "siti"),
        ]
        shown = siaga("backup", "diff", "sw1").well()
        changed = [x for x in shown.out.splitlines() if x.startswith(("+", "-"))]
        assert changed == ["- description Ruang Camat", "+ description Ruang Sekcam"]
        assert "out-of-band by siti" in shown.err
        told = json.loads(siaga("backup", "blame", "sw1", "-o", "json").well().out)
        brought = {r["line"]: (r["author"], r["cause"]) for r in told}
        assert brought[" description Ruang Sekcam"] == ("siti", "out-of-band")
        assert brought["hostname SW-BALARAJA"][1] == "first"
        hits = json.loads(siaga("backup", "search", "sekcam", "-o", "json").well().out)
        assert [(h["device"], h["text"]) for h in hits] == [("sw1", " description Ruang Sekcam")]
        assert commits(scrubbed)[0] == "siti|1 device: out-of-band"
        before = siaga("backup", "show", "sw1", "--at", "2020-01-01")
        assert before.failed(3, "no-backup") == []
        history = json.loads(siaga("backup", "show", "sw1", "--history", "-o", "json").well().out)
        assert [h["cause"] for h in history] == ["out-of-band", "first"]


def test_the_change_of_a_job_bears_its_name_and_one_before_it_does_not(scrubbed: Path) -> None:
    with world(scrubbed, {"sw1": simulated("ios")}) as made:
        ids = [made.ids["sw1"]]
        service.run_now(made.engine, made.settings, ids, who="budi")
        configured(made, "sw1", "vlan 88")
        before = service.around_job(made.settings, ids, who="budi")
        configured(made, "sw1", "vlan 99")
        after = service.around_job(made.settings, ids, who="budi", job="job:7")
        assert [(r.kept[0].cause, r.kept[0].author, r.kept[0].added) for r in (before, after)] == [
            ("out-of-band", "siti", 1),
            ("job:7", "budi", 1),
        ]
        assert commits(scrubbed)[:2] == ["budi|1 device: job:7", "siti|1 device: out-of-band"]


def test_whoever_changes_devices_is_given_names_for_what_was_there_and_the_way_back(scrubbed: Path) -> None:
    with world(scrubbed, {"sw1": simulated("ios"), "rtr1": simulated("routeros")}) as made:
        made.put("device", name="ups1", role="ups", platform="apc", address="127.0.0.8")
        keeper = service.Keeper(made.engine, made.settings, who="budi")
        before = keeper.backup(["sw1", "rtr1", "ups1"])
        assert sorted(before) == ["rtr1", "sw1"]
        assert all(k.name and not k.failure for k in before.values())
        configured(made, "sw1", "no ntp server 10.20.0.5")
        made.devices["rtr1"].password = "lain"
        after = keeper.backup(["sw1", "rtr1"], "job:9")
        assert after["sw1"].name != before["sw1"].name
        assert "refused the login" in after["rtr1"].failure
        assert keeper.wanted("sw1", before["sw1"].name).lines == ("ntp server 10.20.0.5",)


def test_a_wish_of_syslog_is_due_its_message_names_who_changed_it_and_it_is_then_done(scrubbed: Path) -> None:
    with world(scrubbed, {"sw1": simulated("nxos"), "sw2": simulated("nxos")}) as made:
        service.run_due(made.engine, made.settings)
        configured(made, "sw1", "vlan 55")
        now, number = utc_now(), made.ids["sw1"]
        with session(made.engine) as writing:
            told = {"kind": "config-changed", "source": "127.0.0.1", "text": "Configured from vty by vendor"}
            details = {"user": "vendor"}
            writing.add(
                DeviceEvent(at=now, last_at=now, channel="syslog", device_id=number, details=details, **told)
            )
            wish(writing, number, BACKUP, "syslog config-changed", now)
        done = service.run_due(made.engine, made.settings)
        assert [(k.name, k.cause, k.author) for k in done.kept] == [("sw1", "out-of-band", "vendor")]
        assert service.run_due(made.engine, made.settings).kept == ()
        with reading(made.engine) as opened:
            assert wishes(opened) == []
            assert sorted(last_backups(opened)) == sorted(made.ids.values())


def test_who_was_asked_for_and_could_not_be_read_rests_before_the_next_try(scrubbed: Path) -> None:
    with world(scrubbed, {"sw1": simulated("ios")}) as made:
        service.run_due(made.engine, made.settings)
        asked, number = utc_now(), made.ids["sw1"]
        with session(made.engine) as writing:
            wish(writing, number, BACKUP, "changed", asked)
            row = store.standing(writing)[number]
            row.failures, row.tried_at = 1, asked + timedelta(seconds=5)
            writing.add(row)
        with reading(made.engine) as opened:
            assert due(opened, Backup(), asked + timedelta(minutes=29)) == []
            assert due(opened, Backup(), asked + timedelta(minutes=31)) == [number]
        with session(made.engine) as writing:
            wish(writing, number, BACKUP, "changed again", asked + timedelta(minutes=1))
            assert due(writing, Backup(), asked + timedelta(minutes=2)) == [number]


def test_each_role_has_its_interval_and_a_failure_is_not_repeated_at_once(scrubbed: Path) -> None:
    with world(scrubbed, {"sw1": simulated("ios")}) as made:
        service.run_due(made.engine, made.settings)
        hourly = Backup(every_h={"default": 24, "switch": 1})
        now = utc_now()
        with reading(made.engine) as opened:
            assert due(opened, hourly, now) == []
            assert due(opened, hourly, now + timedelta(hours=1)) == [made.ids["sw1"]]
            assert due(opened, Backup(), now + timedelta(hours=1)) == []
    with session(made.engine) as writing:
        row = store.standing(writing)[made.ids["sw1"]]
        row.ok_at, row.tried_at, row.failures = now - timedelta(days=3), now - timedelta(minutes=10), 2
        writing.add(row)
    with reading(made.engine) as opened:
        assert due(opened, hourly, now) == []
        assert due(opened, hourly, now + timedelta(minutes=21)) == [made.ids["sw1"]]


def test_coverage_counts_those_without_a_good_backup(scrubbed: Path, siaga: Siaga) -> None:
    with world(scrubbed, {"sw1": simulated("ios"), "sw2": simulated("ios")}) as made:
        made.put("device", name="sw3", role="switch", platform="ios", address="127.0.0.9")
        made.put("device", name="ups1", role="ups", platform="apc", address="127.0.0.8")
        siaga("backup", "run", "sw1").well()
        listed = siaga("backup", "list", "-o", "json").well()
        states = {r["name"]: r["state"] for r in json.loads(listed.out)}
        assert states == {"sw1": "good", "sw2": "never", "sw3": "no login", "ups1": "unknown"}
        assert "1 of 3 devices (33 %) have a good backup younger than 7d." in listed.err
        lacking = json.loads(siaga("backup", "list", "--older-than", "7d", "-o", "json").well().out)
        assert [r["name"] for r in lacking] == ["sw2", "sw3"]
        row = json.loads(siaga("backup", "list", "sw1", "-o", "json").well().out)[0]
        assert (row["runs"], row["failures"], row["changes"]) == (1, 0, 1)
        assert row["age_s"] >= 0


def test_a_key_trusted_on_first_use_is_in_the_history_and_a_changed_one_stops_and_alarms(
    scrubbed: Path, siaga: Siaga
) -> None:
    with world(scrubbed, {"sw1": simulated("ios")}) as made:
        siaga("backup", "run").well()
        port = made.ports["sw1"]
    notes = json.loads(siaga("note", "list", "-o", "json").well().out)
    assert [n["target"] for n in notes if "SSH host key trusted on first use" in n["text"]] == ["sw1"]
    assert "SSH host key trusted" in siaga("note", "history", notes[0]["name"], "-o", "json").well().out
    device = simulated("ios")
    with world(scrubbed, {"sw1": device}, key=asyncssh.generate_private_key("ssh-ed25519")) as made:
        known = scrubbed / "known_hosts"
        known.write_text(known.read_text().replace(f":{port} ", f":{made.ports['sw1']} "))
        failed = siaga("backup", "run", "-o", "json")
        assert failed.code == 1
        row = json.loads(failed.out)[0]
        assert row["result"] == "host-key-changed"
        assert "no password was sent" in row["reason"]
        assert device.logins == 0
        with reading(made.engine) as opened:
            alerts = [(a.rule, a.subject, a.severity) for a in opened.exec(select(Alert))]
        assert alerts == [("host-key-changed", "sw1", "critical")]
        siaga("trust", "sw1", "--yes").well()
        siaga("backup", "run").well()
        with reading(made.engine) as opened:
            assert all(a.closed_at is not None for a in opened.exec(select(Alert)))


def test_a_device_that_is_being_changed_is_left_alone(scrubbed: Path, siaga: Siaga) -> None:
    from siaga.lock import device_lock

    with world(scrubbed, {"sw1": simulated("ios")}) as made:
        with device_lock(scrubbed, made.ids["sw1"], "sw1"):
            row = json.loads(siaga("backup", "run", "-o", "json").out)[0]
            assert row["result"] == "busy"
            assert f"pid {os.getpid()}" in row["reason"]
            held = service.around_job(made.settings, [made.ids["sw1"]], who="budi")
        assert held.kept[0].result == "stored", "who holds the lock reads under it"


def test_a_restore_gives_back_what_was_there(scrubbed: Path, siaga: Siaga, tmp_path: Path) -> None:
    with world(scrubbed, {"sw1": simulated("ios"), "rtr1": simulated("junos")}) as made:
        siaga("backup", "run").well()
        good = {name: device.config.lines() for name, device in made.devices.items()}
        configured(
            made,
            "sw1",
            "interface GigabitEthernet1/0/2",
            "description Lain",
            "snmp-server community RahasiaLain RW",
        )
        configured(made, "sw1", "no ntp server 10.20.0.5", "vlan 66")
        configured(made, "rtr1", "delete system ntp server 10.20.0.5", "set system ntp server 10.9.9.9")
        made.devices["rtr1"].config.commit()
        siaga("backup", "run").well()
        for name in made.devices:
            file = tmp_path / f"{name}.txt"
            shown = siaga("backup", "restore", name, "--write", file).well()
            assert "RahasiaLain" not in shown.out + shown.err
            assert file.stat().st_mode & 0o777 == 0o600
            configured(made, name, *(x.strip() for x in file.read_text().splitlines() if x != "exit"))
        made.devices["rtr1"].config.commit()
        again = json.loads(siaga("backup", "run", "-o", "json").well().out)
        assert {r["result"] for r in again} == {"stored"}
        for name, device in made.devices.items():
            assert sorted(device.config.lines()) == sorted(good[name])
        assert siaga("backup", "restore", "sw1", "--at", "0s").failed(5, "nothing-to-restore") == []


def test_a_run_that_was_killed_between_git_and_the_database_is_taken_up(scrubbed: Path, siaga: Siaga) -> None:
    with world(scrubbed, {"sw1": simulated("ios")}) as made:
        siaga("backup", "run").well()
        with session(made.engine) as writing:
            for row in store.versions(writing, made.ids["sw1"]):
                writing.delete(row)
            for row in store.standing(writing).values():
                writing.delete(row)
        siaga("backup", "run").well()
        assert len(commits(scrubbed)) == 1
        assert siaga("backup", "show", "sw1").well().out.startswith("version 15.2")


def test_a_renamed_device_keeps_its_file_under_its_new_name(scrubbed: Path, siaga: Siaga) -> None:
    with world(scrubbed, {"sw1": simulated("ios")}):
        siaga("backup", "run").well()
        siaga("device", "set", "sw1", "name=sw/baru").well()
        siaga("backup", "run").well()
        repository = Repository(scrubbed)
        assert repository.text(repository.head(), "sw1.cfg") == ""
        assert repository.text(repository.head(), "sw%2Fbaru.cfg") != ""
        assert siaga("backup", "show", "sw/baru").well().out
        assert siaga("backup", "search", "--regex", "(").failed(2, "bad-search") == []


def test_full_texts_of_old_versions_are_let_go(scrubbed: Path) -> None:
    with world(scrubbed, {"sw1": simulated("ios")}) as made:
        few = made.settings.model_copy(update={"backup": Backup(keep_full=2)})
        for number in (71, 72, 73):
            configured(made, "sw1", f"vlan {number}")
            service.run_now(made.engine, few, [made.ids["sw1"]], who="budi")
        with reading(made.engine) as opened:
            assert [bool(v.sealed) for v in store.versions(opened, made.ids["sw1"])] == [True, True, False]
