"""`siaga impact` on a real inventory: what may be named, from where all is reached, and what programs get."""

import json
from typing import Any

import pytest
from sqlalchemy import Engine, text

from inventory.graph_commands import impact
from inventory.history import Author
from inventory.store import session
from inventory.writing import Writer
from monitor.models import DeviceState
from siaga.errors import InvalidError, NotFoundError, UsageError
from siaga.outcome import Format
from siaga.render import render
from tests.inventory.conftest import NOW

ROWS: dict[str, list[dict[str, Any]]] = {
    "place": [
        {"name": "Kabupaten", "kind": "regency"},
        {"name": "Mauk", "kind": "kecamatan", "parent": "Kabupaten", "population": 80_000},
        {"name": "Kantor Mauk", "kind": "site", "parent": "Mauk", "priority": 1},
        {"name": "core", "kind": "room", "parent": "Kabupaten"},
    ],
    "agency": [{"name": "kec-mauk", "kind": "kecamatan", "place": "Kantor Mauk"}],
    "provider": [{"name": "PA"}],
    "person": [{"name": "Siti", "phone": "0812", "on_call": "yes"}],
    "contract": [{"name": "FO", "provider": "PA", "kind": "circuit"}],
    "device": [
        {"name": "core", "role": "core-router", "place": "core"},
        {"name": "core-2", "role": "core-router", "place": "core"},
        {"name": "rtr-mauk", "role": "router", "place": "Kantor Mauk", "agency": "kec-mauk"},
        {"name": "rtr-spare", "role": "router", "status": "spare", "place": "Kantor Mauk"},
    ],
    "interface": [
        *({"device": "core", "name": p} for p in ("bond1", "e1", "e2", "e3")),
        *({"device": "rtr-mauk", "name": p} for p in ("bond1", "e1", "e2", "lte")),
        {"device": "core-2", "name": "e1"},
    ],
    "link": [
        {"name": "l1", "a_interface": "core:e1", "z_interface": "rtr-mauk:e1", "contract": "FO"},
        {"name": "l2", "a_interface": "core:e2", "z_interface": "rtr-mauk:e2", "path_group": "utara"},
    ],
    "connection": [{"name": "k-mauk", "agency": "kec-mauk", "link": "l1", "contract": "FO"}],
    "service": [{"name": "oss", "device": "rtr-mauk"}],
    "dependency": [{"service": "oss", "target_noun": "link", "target": "l2"}],
    "contact": [{"person": "Siti", "role": "head", "target_noun": "agency", "target": "kec-mauk"}],
}


def write(engine: Engine, author: Author, rows: dict[str, list[dict[str, Any]]]) -> None:
    with session(engine) as opened:
        writer = Writer(opened, author)
        for noun, some in rows.items():
            for row in some:
                writer.put(noun, row)
        writer.finish()


@pytest.fixture
def filled(engine: Engine, author: Author) -> Engine:
    write(engine, author, ROWS)
    members = [
        {"device": d, "name": p, "parent": f"{d}:bond1"} for d in ("core", "rtr-mauk") for p in ("e1", "e2")
    ]
    write(engine, author, {"interface": members})
    return engine


def said(*failing: str, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(render(impact(list(failing), output=Format.json, **options)))
    return found


def down(*failing: str, **options: Any) -> list[str]:
    return [d["name"] for d in said(*failing, **options)["devices"]]


def test_whatever_has_a_name_can_fail(filled: Engine) -> None:
    assert down("rtr-mauk") == down("Kantor Mauk") == down("Mauk") == ["rtr-mauk"]
    assert down("l1") == down("provider:PA") == down("FO") == down("k-mauk") == down("utara") == []
    assert down("l1", "l2") == down("PA", "path:utara") == ["rtr-mauk"]
    assert [s["name"] for s in said("service:oss")["services"]] == ["oss"]
    assert said("contract:FO")["failed"] == ["contract FO"]


def test_a_bond_takes_its_members_and_a_member_only_itself(filled: Engine) -> None:
    assert down("core:e1") == []
    assert said("core:e1")["no_longer_redundant"] == ["rtr-mauk"]
    assert down("core:bond1") == down("rtr-mauk:bond1") == ["rtr-mauk"]


def test_a_name_of_two_things_must_say_which(filled: Engine) -> None:
    with pytest.raises(UsageError, match="device:core or place:core") as caught:
        impact(["core"])
    assert caught.value.code == "ambiguous-name"
    assert down("place:core") == ["core", "core-2", "rtr-mauk"]
    assert down("device:core") == ["core", "rtr-mauk"]


@pytest.mark.parametrize(
    "name", ["rtr-mauck", "device:rtr-mauck", "core:e9", "planet:mars", "place:rtr-mauk", ""]
)
def test_what_is_not_there_is_said(filled: Engine, name: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        impact([name])
    assert caught.value.code == "no-such-name"
    assert ("Did you mean 'rtr-mauk'?" in str(caught.value)) is ("mauck" in name)


def test_the_roots_can_be_chosen(filled: Engine) -> None:
    assert said("l1")["roots"] == ["core", "core-2"]
    found = said("l1", "l2", root="name=rtr-mauk")
    assert (found["roots"], [d["name"] for d in found["devices"]]) == (["rtr-mauk"], ["core"])
    with pytest.raises(NotFoundError, match="No active device"):
        impact(["l1"], root="rtr-spare")


def test_without_core_routers_the_lines_to_the_providers_are_the_roots(
    filled: Engine, author: Author
) -> None:
    routers = [{"name": n, "role": "router"} for n in ("core", "core-2")]
    write(filled, author, {"device": routers})
    with pytest.raises(InvalidError) as caught:
        impact(["l1"])
    assert caught.value.code == "no-root"
    out = {"name": "out", "a_interface": "core:e3", "contract": "FO"}
    write(filled, author, {"link": [out]})
    assert said("l2")["roots"] == ["provider:PA"]
    assert down("out") == ["core", "rtr-mauk"]


def test_programs_get_the_same_keys_whatever_fails(filled: Engine) -> None:
    keys = [
        *(
            "headline",
            "failed",
            "roots",
            "devices",
            "on_backup",
            "no_longer_redundant",
            "places",
            "population",
        ),
        *("agencies", "services", "exits_lost", "exits_left", "people", "unknown", "careful", "priority_1"),
    ]
    assert list(said("rtr-mauk")) == list(said("rtr-spare")) == keys
    found = said("rtr-mauk")
    assert found["headline"] == "cuts off 1 kecamatan, 1 agency, 1 service."
    assert (found["population"], found["priority_1"]) == (80_000, ["Kantor Mauk"])
    assert found["people"] == [
        {
            "name": "Siti",
            "phone": "0812",
            "telegram": "",
            "email": "",
            "on_call": True,
            "on_duty": "",
            "parts": [{"role": "head", "noun": "agency", "name": "kec-mauk"}],
        }
    ]
    assert found["devices"][0]["path"] == ["core", "l1", "rtr-mauk"]


def test_the_text_says_whom_to_tell(filled: Engine) -> None:
    shown = render(impact(["rtr-mauk"], show_paths=True))
    assert shown.startswith("If rtr-mauk fails, it cuts off 1 kecamatan, 1 agency, 1 service.\n")
    assert "Siti, on call: 0812\n    head of agency kec-mauk" in shown
    assert "was: core –[l1]– rtr-mauk" in shown
    assert "1 device is not known to be connected (core-2)" not in shown  # it is a root


def test_what_can_do_nothing_is_no_good_news(filled: Engine) -> None:
    assert impact(["rtr-spare"]).messages == ["rtr-spare is not active: it carries nothing."]
    assert "nothing is known to fail" in impact(["rtr-mauk:lte"]).messages[0]
    assert impact(["l1"]).messages == []


def test_the_worst_come_first(filled: Engine) -> None:
    rows = json.loads(render(impact(worst=True, output=Format.json)))
    assert [(r["rank"], r["noun"], r["name"]) for r in rows] == [
        (1, "device", "core"),
        (2, "device", "rtr-mauk"),
        (3, "link", "l2"),
    ]
    assert rows[0] == {
        "rank": 1,
        "noun": "device",
        "name": "core",
        "kecamatan": 1,
        "places": 2,
        "agencies": 1,
        "services": 1,
        "devices": 2,
    }
    assert len(json.loads(render(impact(worst=True, number=1, output=Format.json)))) == 1


def printed(*failing: str, **options: Any) -> str:
    return render(impact(list(failing), **options))


def test_one_name_asked_twice_is_one(filled: Engine) -> None:
    assert printed("rtr-mauk", "rtr-mauk").startswith("If rtr-mauk fails, it ")


def test_a_slip_in_the_question_is_said(filled: Engine) -> None:
    with pytest.raises(UsageError, match="There is no field 'nope' here"):
        printed("rtr-mauk", fields="nope")
    with pytest.raises(UsageError, match="leave out core, or leave out --worst"):
        impact(["core"], worst=True)
    with pytest.raises(UsageError, match="Say what fails"):
        impact([])


def test_what_is_not_there_today_does_not_stand_in(filled: Engine, author: Author) -> None:
    later = {"name": "l2", "installed": "2999-01-01"}
    write(filled, author, {"link": [later]})
    assert down("l1") == ["rtr-mauk"]
    shown = printed("l1")
    assert "CAREFUL\n  l2 is installed on 2999-01-01: it is not counted\n" in shown
    assert said("l1")["unknown"]["links_without_end"] == 0
    assert impact(["l2"]).messages[0] == "l2 is installed on 2999-01-01: it carries nothing."
    ended = {"name": "FO", "end": "2001-12-31"}
    write(filled, author, {"link": [{"name": "l2", "installed": ""}], "contract": [ended]})
    assert said("l2")["careful"] == ["l1 is under a contract that ended on 2001-12-31: it is not counted"]


def test_what_is_down_now_is_said_where_it_would_stand_in(filled: Engine, author: Author) -> None:
    rows = {
        "device": [{"name": "rtr-utara", "role": "router"}],
        "interface": [{"device": "rtr-utara", "name": p} for p in ("e1", "e2")]
        + [{"device": "core", "name": "e9"}],
        "link": [
            {"name": "l2", "a_interface": "core:e9", "z_interface": "rtr-utara:e1"},
            {"name": "l3", "a_interface": "rtr-utara:e2", "z_interface": "rtr-mauk:e2", "role": "backup"},
        ],
    }
    write(filled, author, rows)
    assert said("l1")["on_backup"][0]["doubts"] == []
    with session(filled) as opened:
        opened.execute(
            text(
                "UPDATE interface SET oper_status = 'down', seen_at = '2026-11-24 03:00:00' WHERE name = 'e2'"
            )
        )
        device_id = opened.execute(text("SELECT id FROM device WHERE name = 'rtr-utara'")).scalar_one()
        opened.add(DeviceState(device_id=device_id, state="down", since=NOW, at=NOW))
    said_of = said("l1")["on_backup"][0]["doubts"]
    assert said_of == ["rtr-utara is down since 2026-11-24 10:00", "backup l3 is down, seen 2026-11-24 10:00"]
    assert "CAREFUL: rtr-utara is down since 2026-11-24 10:00" in printed("l1")


def test_a_cable_that_was_entered_twice_is_no_second_way(filled: Engine, author: Author) -> None:
    with session(filled) as opened:  # as it was written before this was refused
        opened.execute(text("UPDATE link SET a_interface_id = 2, z_interface_id = 6"))
    assert down("l1") == down("l2") == ["rtr-mauk"]
    assert {w["name"] for w in json.loads(render(impact(worst=True, output=Format.json)))} >= {"l1"}
