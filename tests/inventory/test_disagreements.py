"""Where intended and observed differ is said, with who saw it; where only the writing differs, nothing is."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import NOW
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, event, insert
from sqlmodel import select

from inventory import disagreements as differing
from inventory import store
from inventory.disagreements import Disagreement, disagreements
from inventory.history import Author
from inventory.models import Device, Interface
from inventory.observed import Said, keep
from inventory.provenance import provenance
from inventory.writing import Writer


def seen(**values: str) -> dict[str, Any]:
    return {f: SimpleNamespace(value=v, source="snmp", at=NOW, cause="poll 12") for f, v in values.items()}


def port(**values: Any) -> dict[str, Any]:
    plain = {"name": "ether1", "alias": "", "seen_alias": "", "speed_bps": None, "seen_speed_bps": None}
    plain |= {"mac": "", "seen_mac": "", "enabled": True, "admin_status": "up", "oper_status": "up"}
    return plain | {"revision": 7, "seen_at": NOW} | values


def test_a_disagreement_says_who_saw_it_when_and_in_which_run() -> None:
    found = disagreements({"name": "sw-1", "serial": "HE9080WQ12X"}, seen(serial="HE9080ZZ99Y"))
    assert found == [Disagreement("serial", "HE9080WQ12X", "HE9080ZZ99Y", "snmp", "poll 12", NOW)]


@pytest.mark.parametrize(
    ("row", "observed"),
    [
        ({"serial": "he9080-wq12x"}, {"serial": "HE9080WQ12X "}),
        ({"serial": "HE9080WQ12X"}, {"serial": "To be filled by O.E.M."}),
        ({"platform": "RouterOS"}, {"platform": "routeros"}),
        ({"platform": "cisco_ios"}, {"platform": "ios"}),
        ({"platform": "debian"}, {"platform": "linux"}),
        ({"name": "rtr-kec-mauk"}, {"sysname": "RTR-KEC-MAUK.tangerangkab.go.id"}),
        ({"name": "rtr kec mauk"}, {"sysname": "rtr_kec_mauk"}),
        ({"name": "sw-mauk-2", "chassis": "sw-mauk"}, {"sysname": "sw-mauk"}),
        ({"device_type": "MikroTik CRS317-1G-16S+RM"}, {"model": "CRS317-1G-16S+"}),
        ({"device_type": "core", "models": ["C9300-24T", "C9300"]}, {"model": "c9300-24t"}),
        ({"version": "7.16"}, {"version": "v7.16"}),
        ({"place": "Kantor Kecamatan Mauk"}, {"location": "Jl. Raya Mauk, lantai 2"}),
        ({"place": "Ruang server", "kecamatan": "Mauk"}, {"location": "mauk"}),
        ({"place": "Kantor Kecamatan Mauk"}, {"location": "Sitting on the Dock of the Bay"}),
        ({"serial": "HE9080WQ12X"}, {}),
        ({"serial": ""}, {"serial": "HE9080WQ12X"}),
    ],
    ids=str,
)
def test_two_ways_of_writing_one_thing_are_no_difference(
    row: dict[str, Any], observed: dict[str, str]
) -> None:
    assert disagreements(row, seen(**observed)) == []


@pytest.mark.parametrize(
    ("row", "observed", "field"),
    [
        ({"platform": "routeros"}, {"platform": "ios"}, "platform"),
        ({"name": "rtr-kec-mauk"}, {"sysname": "rtr-kec-kronjo"}, "name"),
        ({"name": "rtr-kec-mauk"}, {"sysname": "MikroTik"}, "name"),
        ({"name": "10.1.1.1"}, {"sysname": "10.1.1.2"}, "name"),
        ({"device_type": "CCR2004"}, {"model": "CRS317-1G-16S+"}, "device_type"),
        ({"version": "7.16"}, {"version": "7.15.3"}, "version"),
        ({"vars": {"version": "7.16"}}, {"version": "7.15.3"}, "version"),
    ],
)
def test_what_differs_is_said(row: dict[str, Any], observed: dict[str, str], field: str) -> None:
    assert [(d.field, d.hint) for d in disagreements(row, seen(**observed))] == [(field, False)]


def test_a_place_is_only_a_hint() -> None:
    (found,) = disagreements({"place": "Kantor Kecamatan Mauk"}, seen(location="Gedung Kronjo"))
    assert (found.field, found.hint) == ("place", True)


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({"alias": "Uplink  Mauk", "seen_alias": "uplink mauk"}, []),
        ({"alias": "uplink", "seen_alias": "to kronjo"}, ["ether1 alias"]),
        ({"alias": "uplink", "seen_alias": ""}, ["ether1 alias"]),
        ({"alias": "uplink", "seen_alias": None}, []),
        ({"speed_bps": 10**9, "seen_speed_bps": 10**9 + 10**6}, []),
        ({"speed_bps": 10**9, "seen_speed_bps": 10**8}, ["ether1 speed_bps"]),
        ({"speed_bps": 10**9, "seen_speed_bps": 10**7, "oper_status": "down"}, []),
        ({"mac": "48:8f:5a:00:00:01", "seen_mac": "488f5a000001"}, []),
        ({"mac": "48:8f:5a:00:00:01", "seen_mac": "488f5a000002"}, ["ether1 mac"]),
        ({"enabled": True, "admin_status": "down"}, ["ether1 enabled"]),
        ({"enabled": False, "admin_status": "up"}, ["ether1 enabled"]),
        ({"enabled": True, "admin_status": "down", "revision": 0}, []),
        ({"enabled": False, "admin_status": ""}, []),
        ({"alias": "uplink", "seen_alias": "to kronjo", "seen_at": None}, []),
    ],
    ids=str,
)
def test_interfaces_are_compared_where_something_is_meant(values: dict[str, Any], fields: list[str]) -> None:
    assert [d.field for d in disagreements({}, {}, [port(**values)])] == fields


@given(
    st.dictionaries(
        st.sampled_from(["name", "serial", "platform", "device_type", "version", "place"]), st.text()
    )
)
def test_what_is_seen_exactly_as_intended_never_differs(row: dict[str, str]) -> None:
    seen_as = {"name": "sysname", "device_type": "model", "place": "location"}
    observed = seen(**{seen_as.get(f, f): v for f, v in row.items()})
    assert disagreements(row, observed) == []


def _fleet(session: Any, count: int, ports: int) -> None:
    """Record devices of which every hundredth has another serial, and every port an intended alias, speed and MAC."""
    session.execute(
        insert(Device),
        [
            {"id": i, "name": f"sw-{i}", "serial": f"HE{i:06}K", "platform": "routeros", "vars": {}}
            for i in range(1, count + 1)
        ],
    )
    keep(
        session,
        [
            Said(
                i,
                "snmp",
                NOW,
                {"serial": f"HE{i:06}{'X' if i % 100 == 0 else 'k'}", "platform": "routeros"}
                | {
                    "sysname": f"SW-{i}.tangerangkab.go.id",
                    "model": "CRS317",
                    "version": "7.16",
                    "location": "Mauk",
                },
            )
            for i in range(1, count + 1)
        ],
        cause="poll 12",
    )
    told = {
        "speed_bps": 10**9,
        "seen_speed_bps": 10**9,
        "admin_status": "up",
        "oper_status": "up",
        "seen_at": NOW,
    }
    for start in range(1, count + 1, 500):
        session.execute(
            insert(Interface),
            [
                {
                    "device_id": i,
                    "name": f"ether{p}",
                    "alias": "uplink",
                    "seen_alias": "uplink",
                    "revision": 1,
                    **told,
                }
                | {"mac": f"48:8f:5a:{i // 256 % 256:02x}:{i % 256:02x}:{p:02x}"}
                | {"seen_mac": f"488f5a{i // 256 % 256:02x}{i % 256:02x}{p:02x}"}
                for i in range(start, min(start + 500, count + 1))
                for p in range(ports)
            ],
        )


def test_a_whole_inventory_is_compared_in_few_queries(engine: Engine) -> None:
    with store.session(engine) as session:
        _fleet(session, 300, 4)
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
    with store.reading(engine) as session:
        found = differing.of(session)
        assert sorted(found) == [100, 200, 300]
        assert len([q for q in asked if q.startswith("SELECT")]) <= 4
        assert differing.of(session, [100, 101]) == {100: found[100]}
        assert differing.of(session, []) == {}
    assert found[100] == [Disagreement("serial", "HE000100K", "HE000100X", "snmp", "poll 12", NOW)]


def test_interfaces_that_differ_are_found_in_the_database(engine: Engine) -> None:
    with store.session(engine) as session:
        _fleet(session, 3, 2)
        ports = list(session.exec(select(Interface).order_by(Interface.id)))  # type: ignore[arg-type]
        ports[0].seen_alias = "to kronjo"
        ports[2].seen_alias, ports[3].seen_alias = "", ""  # a device that tells no alias at all
        ports[4].seen_mac, ports[5].admin_status = "488f5affffff", "down"
        ports[4].seen_alias = ""  # this one tells the other's
        session.add_all(ports)
    with store.reading(engine) as session:
        found = {i: [d.field for d in ds] for i, ds in differing.of(session).items()}
    assert found == {1: ["ether0 alias"], 3: ["ether0 alias", "ether0 mac", "ether1 enabled"]}


def test_the_newest_observation_counts(engine: Engine) -> None:
    with store.session(engine) as session:
        _fleet(session, 1, 1)
        keep(session, [Said(1, "ansible", NOW - timedelta(1), {"serial": "WRONG-123"})], cause="job 3")
    with store.reading(engine) as session:
        assert differing.of(session) == {}
    with store.session(engine) as session:
        keep(session, [Said(1, "ansible", NOW + timedelta(1), {"serial": "WRONG-123"})], cause="job 4")
    with store.reading(engine) as session:
        (found,) = differing.of(session)[1]
    assert (found.source, found.method, found.at) == ("ansible", "job 4", NOW + timedelta(1))


def test_every_field_says_who_set_it(engine: Engine) -> None:
    def write(author: Author, **values: Any) -> None:
        with store.session(engine) as session:
            writer = Writer(session, author)
            writer.set("device", 1, values) if writer.ids("device") else writer.put("device", values)
            writer.finish()

    write(Author("import", NOW, cause="import 3"), name="sw-1", serial="S1", role="switch")
    write(Author("budi", NOW + timedelta(1)), **{"serial": "S2", "var.ntp": "10.0.0.1"})
    write(
        Author("siti", NOW + timedelta(2), cause="proposal p1"),
        **{"address": "10.1.1.1", "var.dns": "10.0.0.2"},
    )
    with store.reading(engine) as session:
        found = provenance(session, "device", "sw-1")
    assert {f: (p.source, p.who) for f, p in found.items()} == {
        "name": ("import", "import"),
        "role": ("import", "import"),
        "serial": ("person", "budi"),
        "var.ntp": ("person", "budi"),
        "address": ("proposal", "siti"),
        "var.dns": ("proposal", "siti"),
    }
    assert found["address"].cause == "proposal p1"
    write(Author("budi", NOW + timedelta(3)), name="sw-2")
    with store.reading(engine) as session:
        renamed = provenance(session, "device", "sw-2")
        assert provenance(session, "device", "nobody") == {}
    assert (renamed["name"].at, renamed["role"].source) == (NOW + timedelta(3), "import")
