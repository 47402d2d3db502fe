"""Zones of sites: what the records and the sights say together, by hand; and the same from rows that are stored."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from inventory.history import Author
from inventory.models import Interface
from inventory.models_findings import Compliance
from inventory.models_ipam import Node
from inventory.store import open_engine, session
from inventory.writing import Writer
from report.asked.kept import kept
from report.measures import zoned_pct
from report.questions import Period
from report.records import Zoning
from report.rubric import load as rubric
from report.zones import Zoned, apart, zone_of
from siaga.settings import load
from tests.homes import prepare

LIMITS = rubric().rubric.limits
UNTIL = datetime(2026, 12, 1, tzinfo=UTC)
PERIOD = Period(UNTIL - timedelta(days=30), UNTIL)
AT = UNTIL - timedelta(days=2)
TWO = {"management": frozenset({("vlan", 1)}), "user": frozenset({("vlan", 2)})}
SHARED = {"management": frozenset({("vlan", 1)}), "user": frozenset({("vlan", 1), ("vlan", 2)})}
SIGHTED = frozenset({"management", "user"})


@pytest.mark.parametrize(
    ("site", "so"),
    [
        (Zoned(), None),  # nothing is recorded
        (Zoned(TWO, ("management",)), None),  # recorded, and nothing was seen of it
        (Zoned(TWO, ("management",), (True, True)), True),
        (Zoned(TWO, ("management",), (True, None)), None),
        (Zoned(TWO, ("management",), (None,), SIGHTED), True),
        (Zoned(TWO, ("management",), (), frozenset({"user"})), None),
        (Zoned(TWO, ("management",), (True, False), SIGHTED), False),  # a VLAN that nobody recorded
        (Zoned(TWO, ("management", "user"), (True,)), False),  # a switch is managed among the users
        (Zoned(TWO, ("management", ""), (True,)), None),
        (Zoned(TWO, (), (True,)), None),
        (Zoned({"management": TWO["management"]}, ("management",), (True,)), None),
        (Zoned(SHARED, ("management",), (True,)), False),
    ],
)
def test_zones_are_apart_only_if_records_and_sights_agree(site: Zoned, so: bool | None) -> None:
    assert apart(site) is so


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("management", "management"),
        ("VLAN 10 Pengelolaan", "management"),
        ("wifi-tamu", "guest"),
        ("CCTV", "guest"),
        ("server-lan", ""),  # two zones at once is none
        ("cadangan", ""),
        ("", ""),
    ],
)
def test_a_role_or_a_name_speaks_of_one_zone(text: str, zone: str) -> None:
    assert zone_of(text, LIMITS.zones) == zone


def site(writer: Writer, name: str, net: int, managed: str) -> None:
    """Record a site with a switch, and a VLAN and a prefix for management and for users."""
    writer.put("place", {"name": name, "kind": "site"})
    writer.put("device", {"name": f"sw-{name}", "role": "switch", "place": name, "address": managed})
    for vid, zone in ((10, "pengelolaan"), (20, "pengguna")):
        vlan = f"{name}-{zone}"
        writer.put("vlan_group", {"name": name, "place": name})
        writer.put("vlan", {"name": vlan, "vid": vid, "place": name, "vlan_group": name})
        writer.put("prefix", {"name": f"10.{net}.{vid}.0/24", "place": name, "vlan": vlan})


def test_sites_from_stored_rows(scrubbed: Path) -> None:
    """Compute by hand: balaraja is right in all; mauk is managed among users; curug leaves ports open; tigaraksa's

    ports were never read, and cisoka's zones are recorded but nothing was seen. Known: three; right: one.
    """
    settings = load()
    prepare(settings)
    with session(open_engine(settings)) as opened:
        writer = Writer(opened, Author("tests", AT))
        managed = {"balaraja": "10.1.10.2", "mauk": "10.2.20.2", "curug": "10.3.10.2", "cisoka": "10.5.10.2"}
        for net, name in ((1, "balaraja"), (2, "mauk"), (3, "curug"), (4, "tigaraksa"), (5, "cisoka")):
            site(writer, name, net, managed.get(name, "10.4.10.2"))
        writer.flush()
        ids = writer.ids("device")
        for name, shut in (("balaraja", 9), ("mauk", 10), ("curug", 8), ("cisoka", 10)):
            for n in range(12):
                status = {
                    "admin_status": "down" if n < shut else "up",
                    "oper_status": "down" if n < 10 else "up",
                }
                opened.add(Interface(device_id=ids[f"sw-{name}"], name=f"ether{n}", if_type=6, **status))
            opened.add(Interface(device_id=ids[f"sw-{name}"], name="bridge", if_type=209, oper_status="down"))
        for name, said in (("balaraja", "met"), ("mauk", "met"), ("tigaraksa", "met"), ("cisoka", "unknown")):
            results = {"ios-vlans": [said, ""], "ios-ntp": ["broken", ""]}
            opened.add(Compliance(device_id=ids[f"sw-{name}"], at=AT, evidence_at=AT, results=results))
        for vid, seen in ((10, AT), (20, AT), (99, AT)):
            node = {
                "mac": "02:00:00:00:00:01",
                "device_id": ids["sw-curug"],
                "source": "fdb",
                "vlan": str(vid),
            }
            opened.add(Node(name=f"02:00:00:00:00:01/{vid}", first_seen=seen, last_seen=seen, **node))
    with kept(settings, PERIOD, LIMITS) as ask:
        assert ask.every(Zoning) == (
            Zoning("balaraja", True, 10, 9),
            Zoning("cisoka", None, 10, 10),
            Zoning("curug", True, 10, 8),
            Zoning("mauk", False, 10, 10),
            Zoning("tigaraksa", True, None, None),
        )
        found = zoned_pct.measure(ask, LIMITS)
    assert (found.value, found.numerator, found.counted, found.coverage) == (33.33, 1, 3, 0.6)
    assert (found.met, found.unknown) == (("balaraja",), ("cisoka", "tigaraksa"))
