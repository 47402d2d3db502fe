"""Devices that do it wrong: what is kept stays as it was, one sentence says why, and nothing of it is written."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlmodel import select

from inventory.credentials import store_secret
from inventory.models import Credential
from inventory.store import reading, session
from monitor.configs.models import ConfigBackup
from monitor.configs.repo import Repository
from monitor.configs.run import back_up
from siaga.clock import utc_now
from siaga.secrets import open_vault
from siaga.settings import Backup
from tests.cli_runner import Siaga, runner
from tests.monitor.backup_world import World, faulty, simulated, text_of, world
from tests.monitor.ssh_servers import PASSWORD, ssh_server
from tests.simulators.cli.device import Device as Simulated

BANNER = "\x1b[2J\x1b[31m*** HANYA UNTUK PETUGAS ***\x1b[0m\x07\x1b]0;judul\x07\n"
MANY = "".join(f"interface Vlan{n}\n description {'x' * 80}\n!\n" for n in range(100, 400))
LONG = text_of("ios").replace("!\nend\n", f"{MANY}!\nend\n")


@pytest.fixture
def siaga(capsys: pytest.CaptureFixture[str]) -> Siaga:
    return runner(capsys)


def kept(made: World, **backup: Any) -> dict[str, tuple[str, str]]:
    """Back up everybody; return name → result and reason."""
    own = Backup(concurrency=50, **{"longest_s": 8.0, **backup})
    settings = made.settings.model_copy(update={"backup": own})
    done = back_up(made.engine, settings, list(made.ids.values()), who="tests", now=utc_now)
    return {k.name: (k.result, k.reason) for k in done.kept}


BAD = {
    # name: (device, result, a part of the sentence)
    "cut": (faulty("ios", cut_after=900), "incomplete", "the session ended after"),
    "stalled": (faulty("vrp", stall_after=700), "incomplete", "it fell silent after"),
    "no-end": (faulty("ios", no_tail=True), "incomplete", "it is cut short: its last line is"),
    "renamed": (faulty("ios", renamed_by="show running-config"), "incomplete", "in mid-session, to 'Lain#'"),
    "refused": (faulty("nxos", refuses=("show running-config",)), "refused", "refused 'show running-config'"),
    "binary": (simulated("ios", raw="\x7fELF\x02\x01" + "\x00\x01\x02" * 400), "garbled", "it is no text"),
    "one-line": (simulated("nxos", raw="!Command\n" + "a" * 30_000), "garbled", "has more than 20000 characters"),
    "empty": (simulated("airos", raw=""), "incomplete", "it has next to no lines"),
    "another": (simulated("vrp", raw="Selamat\ndatang\ndi\nsini"), "incomplete", "it does not begin as"),
}  # fmt: skip


def test_what_is_not_whole_is_not_kept_and_says_why(scrubbed: Path) -> None:
    with world(scrubbed, {name: device for name, (device, _, _) in BAD.items()}, timeout_s=3.0) as made:
        found = kept(made)
        for name, (_, result, part) in BAD.items():
            assert found[name][0] == result, (name, found[name])
            assert part in found[name][1], (name, found[name])
            assert "\n" not in found[name][1]
        assert not Repository(scrubbed).exists()
        with reading(made.engine) as opened:
            rows = opened.exec(select(ConfigBackup)).all()
        assert {(r.failures, r.ok_at, r.version_id) for r in rows} == {(1, None, None)}


ODD = {
    "pager": faulty("ios", LONG, pages_always=True),
    "pager-vrp": faulty("vrp", pages_always=True),
    "in-config": faulty("ios", begins_in_config=True),
    "in-view": faulty("comware", begins_in_config=True),
    "in-edit": faulty("junos", begins_in_config=True),
    "latin": simulated("nxos", raw=text_of("nxos").replace("ke core", "ke ruang S\udce3o")),
    "no-secret": Simulated("ios", text_of("ios")),
}


def test_what_is_only_odd_is_read_whole(scrubbed: Path) -> None:
    with world(scrubbed, ODD, timeout_s=5.0) as made:
        assert {name: result for name, (result, _) in kept(made, longest_s=30.0).items()} == dict.fromkeys(
            ODD, "stored"
        )
        repository = Repository(scrubbed)
        text = {name: repository.text(repository.head(), f"{name}.cfg") for name in ODD}
    assert text["pager"].count("description xxxx") == 300
    assert "More" not in text["pager"] + text["pager-vrp"]
    assert text["pager-vrp"].splitlines()[-1] == "return"
    assert "ke ruang São" in text["latin"]
    unmarked = {name: re.sub("<secret:.{8}>", "", text[name]) for name in ("in-config", "no-secret")}
    assert unmarked["in-config"] == unmarked["no-secret"]
    assert text["in-config"] != text["no-secret"], "the same secret of another device has another mark"
    assert text["in-edit"].startswith("set version")


def test_nothing_is_written_to_a_device_to_read_it(scrubbed: Path) -> None:
    """netmiko would turn FortiOS' pager off in its configuration; every other make is asked for the session alone."""
    devices = {make: simulated(make) for make in ("fortigate", "junos", "procurve", "smartax")}
    before = {make: device.config.lines() for make, device in devices.items()}
    with world(scrubbed, devices, timeout_s=8.0) as made:
        assert {result for result, _ in kept(made, longest_s=30.0).values()} == {"stored"}
    assert {make: device.config.lines() for make, device in devices.items()} == before
    assert not [c for c in devices["fortigate"].heard if c.startswith(("config", "set"))]


def test_a_banner_with_escape_codes_drives_no_terminal_and_is_not_kept(scrubbed: Path, siaga: Siaga) -> None:
    device = simulated("ios")
    device.dialect = device.dialect.model_copy(update={"greeting": BANNER})
    with world(scrubbed, {"sw1": device}):
        ran = siaga("backup", "run", "-o", "json")
        assert json.loads(ran.out)[0]["result"] == "stored"
        shown = siaga("backup", "show", "sw1").well()
        assert "\x1b" not in shown.out + shown.err
        assert "PETUGAS" not in shown.out
    assert "\x1b" not in ran.out + ran.err


def test_ten_megabytes_are_read_and_more_than_the_limit_is_not(scrubbed: Path) -> None:
    body = "".join(
        f"set policy-options prefix-list P{n} 10.{n % 256}.{n // 256 % 256}.1/32\n" for n in range(190_000)
    )
    big = Simulated("junos", "", raw=text_of("junos").rstrip("\n") + "\n" + body)
    assert len(big.raw or "") > 9_000_000
    with world(scrubbed, {"rtr1": big}, timeout_s=10.0) as made:
        result, reason = kept(made, longest_s=60.0, most_bytes=1_000_000)["rtr1"]
        assert result == "garbled"
        assert reason.startswith("Not kept: it said more than 1000000 characters (rtr1 (127.0.0.1:")
        assert kept(made, longest_s=60.0)["rtr1"][0] == "stored"


def test_half_a_configuration_never_takes_the_place_of_a_whole_one(scrubbed: Path, siaga: Siaga) -> None:
    """A make without an end marker: what is much less than before is believed only if it is said twice alike."""
    device = simulated("nxos")
    with world(scrubbed, {"sw1": device}) as made:
        assert kept(made)["sw1"][0] == "stored"
        whole = device.config.lines()

        class Waning(Simulated):
            said = 0

            def running(self, *, hidden: bool = False) -> list[str]:
                self.said += 1
                return ["!Command: show running-config", *whole[: 12 - self.said]]

        device.__class__ = Waning
        result, reason = kept(made)["sw1"]
        assert (result, "the last one had" in reason) == ("incomplete", True)
        device.__class__ = Simulated
        device.raw = "\n".join(["!Command: show running-config", *whole[:8]])
        assert kept(made)["sw1"][0] == "stored", "a device that was reset says the same twice"


def test_whoever_cannot_be_logged_in_to_is_a_value_among_the_others(scrubbed: Path, siaga: Siaga) -> None:
    with world(scrubbed, {"sw1": simulated("ios"), "sw2": simulated("ios")}, timeout_s=3.0) as made:
        made.devices["sw2"].password = "lain"
        same = {
            "role": "switch",
            "address": "127.0.0.1",
            "ssh_port": 1,
            "ssh_credential": "ssh-sw1",
            "transport": "none",
        }
        made.put("device", name="sw3", platform="ios", **same)
        made.put("device", name="sw4", platform="brother", **same)
        ran = siaga("backup", "run", "name~^sw", "-o", "json")
        found = {r["device"]: (r["result"], r["reason"]) for r in json.loads(ran.out)}
        assert {n: r for n, (r, _) in found.items()} == {
            "sw1": "stored",
            "sw2": "refused",
            "sw3": "silent",
            "sw4": "refused",
        }
        assert "refused the login of 'noc'" in found["sw2"][1]
        assert "no platform file says how" in found["sw4"][1]
        assert ran.code == 7


def test_a_jump_host_leads_to_the_device_and_its_refusal_is_told(scrubbed: Path) -> None:
    """A real SSH server that forwards (direct-tcpip); its own host key is checked and kept like any other."""
    device = simulated("ios")

    async def idle(process: Any) -> None:
        await process.stdin.read()

    with world(scrubbed, {"sw1": device}, timeout_s=5.0) as made:
        opened: list[tuple[str, int]] = []

        async def story() -> None:
            async with ssh_server(idle, forward=opened) as port:
                made.put("credential", name="jump", kind="ssh-password", username="noc")
                await asyncio.to_thread(through, port)

        def through(port: int) -> None:
            with session(made.engine) as writing:
                row = writing.exec(select(Credential).where(Credential.name == "jump")).one()
                store_secret(writing, open_vault(scrubbed), row.id or 0, "password", SecretStr(PASSWORD))
            place = {"address": "127.0.0.1", "ssh_port": port, "ssh_credential": "jump"}
            made.put("device", name="jump1", role="server", platform="linux", transport="none", **place)
            made.put("device", **{"name": "sw1", "var.ssh_jump": "jump1"})
            ids = made.ids
            settings = made.settings
            done = back_up(made.engine, settings, [ids["sw1"]], who="tests", now=utc_now)
            assert [(k.name, k.result, k.reason) for k in done.kept] == [("sw1", "stored", "")]
            made.put("device", name="sw1", ssh_port=1)
            done = back_up(made.engine, settings, [ids["sw1"]], who="tests", now=utc_now)
            assert done.kept[0].result == "silent"
            assert "The jump host jump1 gets no connection to sw1" in done.kept[0].reason

        asyncio.run(story())
        assert opened[0] == ("127.0.0.1", made.ports["sw1"])
        known = (scrubbed / "known_hosts").read_text()
        assert known.count("ssh-ed25519") == 2
