"""The commands of IPAM, asked as a user asks: what they print, and how they end."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy import Engine

from inventory.ipam_commands import app
from inventory.store import reading, rows
from siaga.errors import InvalidError, NotFoundError, UsageError
from siaga.outcome import Outcome
from siaga.render import render
from tests.inventory.ipam_world import addresses, prefixes, write


def ipam(*arguments: str) -> Outcome:
    """Run `siaga ipam …` in this process; a SiagaError comes as it is."""
    outcome: Outcome = typer.main.get_command(app).main(
        list(arguments), prog_name="siaga ipam", standalone_mode=False
    )
    return outcome


def printed(*arguments: str) -> str:
    return render(ipam(*arguments))


def data(*arguments: str) -> Any:
    return json.loads(printed(*arguments, "-o", "json"))


@pytest.fixture
def filled(engine: Engine) -> Engine:
    write(
        engine,
        ("place", {"name": "Mauk", "kind": "kecamatan"}),
        ("vrf", {"name": "red"}),
        ("vlan_group", {"name": "ring", "first_vid": 10, "last_vid": 19}),
        ("vlan", {"name": "kantor", "vid": 10, "vlan_group": "ring"}),
        ("device", {"name": "rtr-1", "address": "10.1.1.1"}),
        ("interface", {"device": "rtr-1", "name": "ether1"}),
        ("ip_range", {"name": "10.1.1.128-10.1.1.254", "status": "dhcp"}),
        *prefixes("10.1.0.0/16", status="container"),
        *prefixes("10.1.1.0/24", place="Mauk", vlan="kantor", role="lan"),
        *prefixes("10.1.2.0/31", "10.1.1.0/24 red", "2001:db8::/64"),
        *addresses("10.1.1.1", interface="rtr-1:ether1"),
    )
    return engine


@pytest.mark.usefixtures("filled")
def test_the_tree_is_indented_with_a_bar() -> None:
    assert printed("tree").splitlines() == [
        "prefix         used%              addresses  status     role  vlan    place  agency",
        "10.1.0.0/16      <1%  ▌░░░░░░░░░  258/65536  container",
        "  10.1.1.0/24    50%  █████░░░░░  128/254    active     lan   kantor  Mauk",
        "  10.1.2.0/31     0%  ░░░░░░░░░░  0/2        active",
        "2001:db8::/64     0%  ░░░░░░░░░░  0/2^64     active",
        "VRF red",
        "10.1.1.0/24       0%  ░░░░░░░░░░  0/254      active",
    ]
    assert [r["name"] for r in data("tree", "--depth", "0")] == [
        "10.1.0.0/16",
        "2001:db8::/64",
        "10.1.1.0/24 red",
    ]
    assert [r["name"] for r in data("tree", "--vrf", "red")] == ["10.1.1.0/24 red"]
    assert {k: data("tree", "10.1.1.0/24")[0][k] for k in ("depth", "parent", "used_pct", "free")} == {
        "depth": 0, "parent": None, "used_pct": 50.4, "free": 126,
    }  # fmt: skip
    assert data("tree", "172.16.0.0/12") == []


@pytest.mark.usefixtures("filled")
def test_one_prefix_and_one_address_are_shown() -> None:
    text = printed("show", "10.1.1.0/24")
    assert "around    10.1.0.0/16" in text
    assert "  10.1.1.128-10.1.1.254  dhcp" in text
    assert "  10.1.1.1  active  rtr-1:ether1    never seen" in text
    assert data("show", "10.1.1.1")["recorded"]["interface"] == "ether1"
    assert printed("show", "10.1.1.200").splitlines()[1:3] == [
        "around    10.1.0.0/16 > 10.1.1.0/24",
        "recorded  no",
    ]
    assert data("show", "10.1.1.0/24", "--fields", "used,free") == {"used": 128, "free": 126}


def test_next_is_told_and_nothing_is_written(filled: Engine) -> None:
    assert printed("next-address", "10.1.1.0/24", "--count", "2") == "10.1.1.2\n10.1.1.3\n"
    assert printed("next-prefix", "10.1.0.0/16", "/24") == "10.1.0.0/24\n"
    assert printed("next-vlan", "ring") == "11\n"
    assert data("next-address", "10.1.1.0/24", "--vrf", "red") == [
        {"name": "10.1.1.1 red", "vrf": "red", "length": 24, "claimed": False}
    ]
    with reading(filled) as opened:
        assert (len(rows(opened, "address")), len(rows(opened, "vlan"))) == (1, 1)


def test_claims_are_written_with_their_reason(filled: Engine) -> None:
    claimed = ipam(
        "next-address", "10.1.1.0/24", "--claim", "device=rtr-1", "interface=ether1", "--why", "new printer"
    )
    assert claimed.messages == ["Claimed 10.1.1.2."]
    assert data("next-prefix", "10.1.0.0/16", "24", "--claim", "place=Mauk")[0]["claimed"] is True
    assert printed("next-vlan", "ring", "--claim", "name=dinkes") == "11\n"
    trial = ipam("next-vlan", "ring", "--claim", "name=trial", "--dry-run")
    assert (trial.messages, trial.rows) == (
        ["Would claim trial."],
        [{"vid": 12, "vlan_group": "ring", "claimed": False}],
    )
    with reading(filled) as opened:
        assert {r["name"]: r["interface"] for r in rows(opened, "address")}["10.1.1.2"] == "rtr-1:ether1"
        assert {r["name"] for r in rows(opened, "vlan")} == {"kantor", "dinkes"}
        assert (
            opened.connection()
            .exec_driver_sql("SELECT why FROM change WHERE why != 'test' AND why != ''")
            .scalar()
            == "new printer"
        )


WRONG = [
    (("next-address", "10.1.0.0/16"), InvalidError, "prefix-not-usable"),
    (("next-address", "10.1.2.0/31", "-n", "3"), InvalidError, "prefix-full"),
    (("next-address", "10.9.0.0/24"), NotFoundError, "no-such-prefix"),
    (("next-address", "10.1.1.0/24", "device=rtr-1"), UsageError, "no-claim"),
    (("next-address", "10.1.1.0/24", "--claim", "device"), UsageError, "bad-assignment"),
    (("next-address", "10.1.1.0/24", "--claim", "device=rtr-9"), InvalidError, "bad-values"),
    (("next-address", "10.1.1.0/24", "--claim", "colour=red"), InvalidError, "bad-values"),
    (("next-prefix", "10.1.0.0/16", "x"), UsageError, "bad-length"),
    (("next-prefix", "10.1.0.0/16", "16"), InvalidError, "bad-length"),
    (("next-prefix", "10.1.0.0/16", "\u0663"), UsageError, "bad-length"),
    (("next-vlan", "rong"), NotFoundError, "no-such-vlan-group"),
    (("next-vlan", "ring", "--claim"), UsageError, "bad-claim"),
    (("tree", "10.1.0.0/99"), UsageError, "bad-prefix"),
    (("tree", "--vrf", "rod"), NotFoundError, "no-such-vrf"),
    (("show", "x"), UsageError, "bad-prefix"),
    (("free", "10.1.1.1"), UsageError, "bad-prefix"),
    (("seen-import", "/nowhere.csv"), NotFoundError, "no-such-file"),
]


@pytest.mark.usefixtures("filled")
def test_what_cannot_be_is_one_clear_error() -> None:
    for arguments, kind, code in WRONG:
        with pytest.raises(kind) as caught:
            ipam(*arguments)
        assert (arguments, type(caught.value), caught.value.code) == (arguments, kind, code)
        assert caught.value.sentence[-1] in ".?"


@pytest.mark.usefixtures("filled")
def test_what_is_free_is_listed() -> None:
    assert data("free", "10.1.1.0/24") == [
        {"free": "10.1.1.2-10.1.1.127", "first": "10.1.1.2", "last": "10.1.1.127", "addresses": 126}
    ]
    assert [r["free"] for r in data("free", "10.1.0.0/16")][:3] == [
        "10.1.0.0/24",
        "10.1.2.2/31",
        "10.1.2.4/30",
    ]


@pytest.mark.usefixtures("filled")
def test_check_ends_with_6_when_it_finds_something(filled: Engine) -> None:
    assert ipam("check").exit_code == 0
    write(filled, *addresses("10.1.1.255", "10.9.9.9"))
    found = ipam("check")
    assert (found.exit_code, found.messages) == (6, ["2 findings."])
    assert render(found).splitlines() == [
        "not-usable  10.1.1.255 is the broadcast address of 10.1.1.0/24.",
        "outside     10.9.9.9 lies in no recorded prefix.",
    ]


def test_sightings_come_from_a_file_or_standard_input(
    filled: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows_ = (
        "10.1.1.1;488f5a000001;rtr-1;ether1",
        "10.1.1.7;488f5a000002;rtr-1;ether1",
        "10.1.1.130;488f5a000003;;",
    )
    seen = "\n".join(("address;mac;device;port", *rows_, ""))
    (tmp_path / "seen.csv").write_text("\ufeff" + seen, encoding="utf-8")
    assert ipam("seen-import", str(tmp_path / "seen.csv")).messages == [
        "Saw 3 addresses: 3 new, 0 known; 1 is recorded."
    ]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(seen.encode())))
    assert ipam("seen-import", "-").messages == ["Saw 3 addresses: 0 new, 3 known; 1 is recorded."]
    found = ipam("seen-not-recorded", "10.1.0.0/16")
    assert [r["address"] for r in found.rows or ()] == ["10.1.1.7"]
    assert found.messages[1] == "1 more lies in DHCP ranges (--all)."
    assert [r["address"] for r in data("seen-not-recorded", "--all")] == ["10.1.1.7", "10.1.1.130"]
    write(filled, *addresses("10.1.1.9", "2001:db8::9"))
    missing = ipam("recorded-not-seen")
    assert [r["name"] for r in missing.rows or ()] == ["10.1.1.9"]
    assert missing.messages == [
        "1 address recorded and not seen in 30 days.",
        "1 more lies where nothing was seen at all (--all): siaga ipam scan.",
    ]
    assert [r["name"] for r in data("recorded-not-seen", "-a")] == ["10.1.1.9", "2001:db8::9"]
    assert "48:8f:5a:00:00:02  rtr-1  ether1  import" in printed("show", "10.1.1.7")


def test_a_bad_file_keeps_nothing(filled: Engine, tmp_path: Path) -> None:
    (tmp_path / "seen.csv").write_text("address,mac\n10.1.1.1,488f5a000001\n10.1.1,x\n")
    with pytest.raises(InvalidError) as caught:
        ipam("seen-import", str(tmp_path / "seen.csv"))
    assert caught.value.problems == (
        "seen.csv, line 3: address is '10.1.1', must be an IPv4 or IPv6 address",
    )
    with reading(filled) as opened:
        assert rows(opened, "node") == []


def test_what_was_used_and_free_is_seen_as_it_was(engine: Engine) -> None:
    write(engine, ("prefix", {"name": "10.1.0.0/16", "status": "container"}))
    write(engine, ("prefix", {"name": "10.1.1.0/24"}))
    assert [r["prefix"] for r in data("tree")] == ["10.1.0.0/16", "10.1.1.0/24"]
    assert [r["prefix"] for r in data("tree", "--at", "set:1")] == ["10.1.0.0/16"]
    assert [r["free"] for r in data("free", "10.1.0.0/16", "--at", "set:1")] == ["10.1.0.0/16"]
    assert data("free", "10.1.0.0/16")[0]["free"] == "10.1.0.0/24"
