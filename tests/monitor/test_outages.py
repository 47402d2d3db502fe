"""Outages: what tells the causes apart, what is recorded, and that nobody's word is overwritten."""

import json
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.history import Author
from inventory.store import open_engine, session
from inventory.writing import Writer
from monitor.models import Alert
from monitor.outage_read import began_anew
from monitor.outages import Cause, Fall, proposed
from siaga.settings import Settings
from tests.cli_runner import Siaga, runner
from tests.monitor.line_world import DAY, changed, ids, minute, regency, watched

SPAN = ("--since", "2026-10-05T00:00+00:00", "--until", "2026-10-06T00:00+00:00")
MINUTE = 60_000


def causes(*falls: Fall) -> list[tuple[Cause, int]]:
    return [(p.cause, len(p.falls)) for p in proposed(falls)]


def test_the_uptime_afterwards_tells_a_cut_line_from_a_dark_device() -> None:
    assert causes(Fall(1, 0, MINUTE, 7, restarted=False)) == [(Cause.link, 1)]
    assert causes(Fall(1, 0, MINUTE, 7, restarted=True, stayed=True)) == [(Cause.device, 1)]
    assert causes(Fall(1, 0, MINUTE, 7, restarted=True, with_it={2: True})) == [(Cause.power, 1)]
    assert causes(Fall(1, 0, MINUTE, 7, restarted=True)) == [(Cause.unknown, 1)]
    assert causes(Fall(1, 0, None, 7)) == [(Cause.unknown, 1)]


def test_two_uptimes_tell_whether_a_device_began_anew() -> None:
    minute = 6_000  # in ticks of sysUpTime
    assert not began_anew((0, 30 * minute), (10 * MINUTE, 40 * minute), MINUTE)
    assert not began_anew((0, 0), (10 * MINUTE, 10 * minute), MINUTE)  # it had just begun when it was cut off
    assert began_anew((0, 30 * minute), (10 * MINUTE, 5 * minute), MINUTE)
    assert began_anew((0, 2 * minute), (60 * MINUTE, 30 * minute), MINUTE)  # it has counted further since
    assert not began_anew((0, 2**32 - 2 * minute), (10 * MINUTE, 8 * minute), MINUTE)  # it passed its 32 bits
    assert not began_anew(None, (10 * MINUTE, 40 * minute), MINUTE)
    assert began_anew(None, (10 * MINUTE, 5 * minute), MINUTE)


def test_a_ups_on_battery_and_neighbours_tell_that_power_failed() -> None:
    assert causes(Fall(1, 0, None, 7, on_battery=("ups",))) == [(Cause.power, 1)]
    together = (Fall(1, 0, 9 * MINUTE, 7, restarted=True), Fall(2, MINUTE, 8 * MINUTE, 7, restarted=True))
    assert causes(*together) == [(Cause.power, 2)]
    assert [(p.start_ms, p.end_ms) for p in proposed(together)] == [(0, 9 * MINUTE)]
    assert causes(Fall(1, 0, None, 7), Fall(2, 0, None, 7)) == [(Cause.power, 2)]
    assert (
        causes(Fall(1, 0, 5, 7, restarted=False), Fall(2, 0, 5, 7, restarted=False)) == [(Cause.link, 1)] * 2
    )
    assert causes(Fall(1, 0, None, 7), Fall(2, 5 * MINUTE, None, 7)) == [(Cause.unknown, 1)] * 2


def test_lines_of_one_provider_at_several_places_are_the_provider() -> None:
    falls = [Fall(n, n, MINUTE, n, provider="isp", restarted=False) for n in (1, 2, 3)]
    assert causes(*falls) == [(Cause.upstream, 1)] * 3
    other = Fall(4, 1, MINUTE, 4, provider="other", restarted=False)
    assert causes(falls[0], other) == [(Cause.link, 1)] * 2


def test_planned_work_is_planned_whatever_else_is_so() -> None:
    assert causes(Fall(1, 0, 5, 7, planned=True, on_battery=("ups",))) == [(Cause.planned, 1)]
    assert causes(Fall(1, 0, 5, 7, planned=True), Fall(2, 0, 5, 7, planned=True)) == [(Cause.planned, 2)]


_fall = st.builds(
    Fall,
    device=st.integers(1, 6),
    start_ms=st.integers(0, 5).map(lambda n: n * MINUTE),
    end_ms=st.one_of(st.none(), st.integers(6, 9).map(lambda n: n * MINUTE)),
    site=st.one_of(st.none(), st.integers(1, 2)),
    provider=st.sampled_from(["", "a", "b"]),
    restarted=st.sampled_from([True, False, None]),
    stayed=st.booleans(),
    on_battery=st.sampled_from([(), ("ups",)]),
    planned=st.booleans(),
)
_falls = st.lists(_fall, max_size=8, unique_by=lambda f: (f.device, f.start_ms))


@given(_falls, st.randoms(use_true_random=False))
def test_every_fall_is_in_one_outage_in_any_order(falls: list[Fall], chance: random.Random) -> None:
    found = proposed(falls)
    told = [f for p in found for f in p.falls]
    assert sorted(map(repr, told)) == sorted(map(repr, falls))
    assert all(p.because and p.start_ms <= min(f.start_ms for f in p.falls) for p in found)
    mixed = falls[:]
    chance.shuffle(mixed)
    assert proposed(mixed) == found


@pytest.fixture
def siaga(scrubbed: Path, capsys: pytest.CaptureFixture[str]) -> Siaga:
    return runner(capsys)


@pytest.fixture
def scripted(scrubbed: Path) -> Settings:
    """At 3.00 Mauk is dark for an hour, after its UPS ran on battery; at 9.00 Curug's line is cut for half an hour."""
    settings = regency()
    known = ids(settings)
    one, two, three = (known[f"rtr-{n}"] for n in ("mauk-1", "mauk-2", "curug-1"))
    for device, a, b in ((one, minute(3), minute(4)), (two, minute(3, 1), minute(4, 1))):
        watched(scrubbed, device, [(a, b)], restarted_at=minute(3, 58))
        changed(settings, device, DAY, "not observed", "up")
        changed(settings, device, a + timedelta(minutes=1), "up", "down")
        changed(settings, device, b, "down", "up")
    watched(scrubbed, three, [(minute(9), minute(9, 30))])
    changed(settings, three, minute(9, 1), "up", "down")
    changed(settings, three, minute(9, 30), "down", "up")
    return settings


def detected(siaga: Siaga, *more: str) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = json.loads(siaga("outage", "detect", *SPAN, *more, "-o", "json").well().out)
    return said


def recorded(siaga: Siaga) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(siaga("outage", "list", "-o", "json").well().out)
    return sorted(rows, key=lambda r: str(r["start"]))


def test_a_scripted_day_becomes_two_outages(siaga: Siaga, scripted: Settings) -> None:
    dark, cut = detected(siaga, "--dry-run")
    assert (dark["cause"], dark["devices"], dark["seconds"]) == ("power", ["rtr-mauk-1", "rtr-mauk-2"], 3660)
    assert (cut["cause"], cut["devices"], cut["seconds"]) == ("link", ["rtr-curug-1"], 1800)
    assert recorded(siaga) == []
    assert [o["action"] for o in detected(siaga)] == ["add", "add"]
    first, second = recorded(siaga)
    assert (first["place"], first["device"] or "", first["cause"]) == ("Mauk", "", "power")
    assert (second["device"], second["link"], second["cause"]) == ("rtr-curug-1", "link-curug-1", "link")
    assert "rtr-mauk-2" in first["notes"]
    assert [o["action"] for o in detected(siaga)] == ["same", "same"]
    assert recorded(siaga) == [first, second]


def test_what_a_person_said_stays_as_it_was_said(siaga: Siaga, scripted: Settings) -> None:
    detected(siaga)
    first, second = (r["name"] for r in recorded(siaga))
    siaga("outage", "set", second, "cause=power", "notes=genset mati").well()
    siaga("outage", "rm", first, "--yes").well()
    again = detected(siaga)
    assert [(o["action"], o["cause"], o["proposed"]) for o in again] == [
        ("theirs", "power", "power"),
        ("same", "power", "link"),
    ]
    (row,) = recorded(siaga)
    assert (row["name"], row["cause"], row["notes"]) == (second, "power", "genset mati")


def test_an_outage_that_a_person_recorded_is_not_recorded_twice(siaga: Siaga, scripted: Settings) -> None:
    siaga(
        "outage", "add", "tiket-17", "device=rtr-curug-1", "start=2026-10-05T08:55+00:00", "cause=upstream"
    ).well()
    _, cut = detected(siaga)
    assert (cut["name"], cut["action"]) == ("tiket-17", "set")
    row = next(r for r in recorded(siaga) if r["name"] == "tiket-17")
    assert row["cause"] == "upstream"
    assert str(row["end"]).startswith("2026-10-05T16:30")  # it had none; 09.30 UTC in the time of the regency
    assert str(row["start"]).startswith("2026-10-05T15:55")


def test_a_ups_on_battery_is_believed_before_anything_else(siaga: Siaga, scripted: Settings) -> None:
    with session(open_engine(scripted)) as opened:
        writer = Writer(opened, Author("test", DAY))
        writer.put("device", {"name": "ups-curug", "role": "ups", "place": "Curug"})
        writer.finish()
        device = writer.ids("device")["ups-curug"]
        times = {"opened_at": minute(8, 40), "closed_at": minute(9, 20)}
        opened.add(Alert(device_id=device, rule="ups-on-battery", severity="critical", text="", **times))
    _, cut = detected(siaga, "--dry-run")
    assert (cut["cause"], cut["because"]) == ("power", "ups-curug ran on battery")


def test_short_silences_and_other_devices_are_left_out(siaga: Siaga, scripted: Settings) -> None:
    assert len(detected(siaga, "--dry-run", "--least", "2000")) == 1
    assert [o["devices"] for o in detected(siaga, "kecamatan=Curug", "--dry-run")] == [["rtr-curug-1"]]
    table = siaga("outage", "detect", *SPAN, "--dry-run").well()
    assert "2 outages, 2 of them would be new." in table.err
    assert "30m" in table.out
