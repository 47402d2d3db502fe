"""`siaga bandwidth` and `siaga availability`: a scripted day comes out to the second, by every group."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from inventory.history import Author
from inventory.store import open_engine, reading, session
from inventory.writing import Writer
from monitor.availability import Window, availability
from monitor.models import StateChange
from monitor.samples import open_samples
from siaga.clock import moment, utc_now
from siaga.settings import Settings
from tests.cli_runner import Siaga, runner
from tests.monitor.line_world import DAY, changed, ids, minute, regency, watched

END = DAY + timedelta(days=1)
SPAN = ("--since", "2026-10-05T00:00+00:00", "--until", "2026-10-06T00:00+00:00")


@pytest.fixture
def siaga(scrubbed: Path, capsys: pytest.CaptureFixture[str]) -> Siaga:
    return runner(capsys)


@pytest.fixture
def scripted(scrubbed: Path) -> Settings:
    """Mauk's first line is cut for an hour, its second serviced for two; nobody looks at Curug from 20.00 on."""
    settings = regency()
    known = ids(settings)
    one, two, three = (known[f"rtr-{n}"] for n in ("mauk-1", "mauk-2", "curug-1"))
    watched(scrubbed, one, [(minute(3), minute(4))])
    watched(scrubbed, two, [(minute(3, 30), minute(4, 30))], down_bps=2_000_000)
    watched(scrubbed, three, minutes=20 * 60)
    for device in (one, two, three):
        changed(settings, device, DAY, "not observed", "up")
    changed(settings, one, minute(3, 1), "up", "down")
    changed(settings, one, minute(4), "down", "up")
    changed(settings, two, minute(3), "up", "maintenance")
    changed(settings, two, minute(5), "maintenance", "up")
    return settings


def rows(siaga: Siaga, *arguments: str) -> dict[str, dict[str, Any]]:
    said = json.loads(siaga(*arguments, *SPAN, "-o", "json").well().out)
    return {row["name"]: row for row in said}


def test_a_scripted_day_comes_out_to_the_second(siaga: Siaga, scripted: Settings) -> None:
    found = rows(siaga, "availability", "--by", "device", "name~^rtr-")
    day = 86_400
    one, two, three = (found[f"rtr-{n}"] for n in ("mauk-1", "mauk-2", "curug-1"))
    assert (one["up_s"], one["down_s"], one["unobserved_s"]) == (day - 3600, 3600, 0)
    assert one["users_pct"] == one["sla_pct"] == 100 * 23 / 24
    assert (two["maintenance_s"], two["maintenance_down_s"], two["down_s"]) == (7200, 3600, 0)
    assert two["users_pct"] == 100 * 23 / 24
    assert (two["sla_pct"], two["sla_s"]) == (100, day - 7200)
    # The last look holds for three rounds, then nobody knows.
    assert three["unobserved_s"] == 4 * 3600 - 120
    assert three["users_pct"] == 100
    for row in found.values():
        parts = ("up", "down", "unreachable", "maintenance", "unobserved")
        assert sum(row[f"{k}_s"] for k in parts) == row["window_s"] == day
        assert round(sum(row[f"{k}_pct"] for k in parts), 9) == 100


def test_groups_are_the_best_or_the_sum_of_their_lines(siaga: Siaga, scripted: Settings) -> None:
    agency = rows(siaga, "availability", "--by", "agency")["kec-mauk"]
    assert (agency["lines"], agency["window_s"]) == (2, 86_400)
    assert agency["down_s"] == 0  # while one was cut the other was up, or serviced
    assert agency["maintenance_down_s"] == 1800  # from 3.30 to 4.00 neither carried anything
    place = rows(siaga, "availability", "--by", "kecamatan")["Mauk"]
    assert (place["lines"], place["window_s"], place["down_s"]) == (2, 2 * 86_400, 3600)
    provider = rows(siaga, "availability", "--by", "provider")
    assert {n: r["down_s"] for n, r in provider.items()} == {"isp-a": 3600, "isp-b": 0}
    link = rows(siaga, "availability", "--by", "link")["link-mauk-1"]
    assert link["down_s"] == 3600


def test_what_power_did_is_met_by_users_and_not_the_providers(siaga: Siaga, scripted: Settings) -> None:
    with session(open_engine(scripted)) as opened:
        writer = Writer(opened, Author("test", END))
        times = {"start": "2026-10-05T03:00+00:00", "end": "2026-10-05T03:45+00:00"}
        writer.put("outage", {"name": "padam-mauk", "place": "Mauk", "cause": "power", **times})
        writer.finish()
    row = rows(siaga, "availability", "name=mauk-1", "--by", "connection")["mauk-1"]
    assert (row["down_s"], row["excused_s"]) == (3600, 2700)
    assert row["users_pct"] == 100 * 23 / 24
    assert row["sla_pct"] == 100 * 23 / 23.25


def test_of_nothing_it_is_said_that_it_is_nothing(siaga: Siaga, scripted: Settings) -> None:
    for by, noun in (("device", "device"), ("link", "link"), ("agency", "connection")):
        said = siaga("availability", "name=nobody", "--by", by).well()
        assert f"see 'siaga {noun} list'" in said.err


def test_a_clock_that_was_set_back_leaves_no_device_down_for_ever(
    siaga: Siaga, scripted: Settings, scrubbed: Path
) -> None:
    three = ids(scripted)["rtr-curug-1"]
    changed(scripted, three, minute(15), "up", "down")  # an hour ahead
    changed(scripted, three, minute(14, 5), "down", "up")
    found = rows(siaga, "availability", "--by", "device", "name=rtr-curug-1")["rtr-curug-1"]
    assert found["down_s"] == 0
    assert sum(found[f"{k}_s"] for k in ("up", "down", "unreachable", "maintenance", "unobserved")) == 86_400


def test_the_evidence_of_a_transition_is_a_look_where_no_other_was_kept(scrubbed: Path) -> None:
    settings = regency()
    device = ids(settings)["rtr-mauk-1"]
    probes = [(minute(1), "up"), (minute(1, 1), "silent"), (minute(1, 2), "silent")]
    proof = [{"at": at.isoformat(), "probe": "icmp", "reach": r, "reason": ""} for at, r in probes]
    with session(open_engine(settings)) as opened:
        opened.add(StateChange(device_id=device, at=minute(1, 2), before="up", after="down", evidence=proof))
    window = Window(DAY, END, 180.0)
    with reading(open_engine(settings)) as opened, open_samples(scrubbed) as samples:
        (row,), _ = availability(opened, samples, "device", ["name=rtr-mauk-1"], window)
    assert (row.parts.ms[1], row.parts.ms[2]) == (
        60_000,
        240_000,
    )  # up till it fell silent; then it holds 3 min


def test_what_lines_carry_is_told_by_every_group(siaga: Siaga, scripted: Settings) -> None:
    found = rows(siaga, "bandwidth")
    one = found["mauk-1"]
    assert (round(one["down_p95_bps"]), round(one["up_p95_bps"])) == (4_000_000, 1_000_000)
    assert (round(one["down_peak_bps"]), round(one["down_mean_bps"])) == (4_000_000, 4_000_000)
    assert round(one["used_pct"], 6) == 40
    assert 95 < one["observed_pct"] < 96  # the hour of silence is no zero
    assert one["down_now_bps"] is None  # the window is long past
    place = rows(siaga, "bandwidth", "--by", "kecamatan")["Mauk"]
    assert (round(place["down_p95_bps"]), place["committed_down_bps"], place["lines"]) == (
        6_000_000,
        20_000_000,
        2,
    )
    assert place["down_bins"] < one["down_bins"]  # only while both are known
    link = rows(siaga, "bandwidth", "--by", "link")["link-mauk-1"]
    assert round(link["down_p95_bps"]) == 4_000_000
    assert set(rows(siaga, "bandwidth", "--by", "provider")) == {"isp-a", "isp-b"}


def test_a_link_measured_at_its_near_end_tells_down_from_what_goes_out_there(
    siaga: Siaga, scrubbed: Path
) -> None:
    from monitor.samples import Sample, polls_of
    from tests.monitor.line_world import MINUTE

    settings = regency()
    core = ids(settings)["core"]
    samples = [
        Sample(core, metric, "to-mauk-1", DAY + n * MINUTE, n * octets)
        for n in range(1440)
        for metric, octets in (("out_octets_64", 30_000_000), ("in_octets_64", 7_500_000))
    ]
    with open_samples(scrubbed) as store:
        store.write(polls_of(samples))
    link = rows(siaga, "bandwidth", "--by", "link")["link-mauk-1"]
    assert (round(link["down_p95_bps"]), round(link["up_p95_bps"])) == (4_000_000, 1_000_000)


def test_one_line_is_drawn_and_listed(siaga: Siaga, scripted: Settings) -> None:
    drawn = siaga("bandwidth", "mauk-1", "--plot", *SPAN).well().out
    assert "mauk-1 down: p95 4 Mbps" in drawn
    assert "·" in drawn  # the hour of silence
    assert "07:00" in drawn  # in the time of the regency
    listed = siaga("bandwidth", "mauk-1", "--bins", "--csv", *SPAN).well().out.splitlines()
    hour = (
        siaga("bandwidth", "mauk-1", "--plot", "--since", "50m", "--until", "2026-10-05T02:53+00:00")
        .well()
        .out
    )
    ground = hour.splitlines()[8]
    assert len(ground) == 12 + 72
    assert "·" not in ground  # each five minutes are as wide as they must be, and none of them is missing
    assert listed[0].startswith("name,at,down_bps,up_bps")
    assert len(listed) == 1 + 288 - 12
    assert len(siaga("bandwidth", "--csv", *SPAN).well().out.splitlines()) == 4
    siaga("bandwidth", "--plot", *SPAN).failed(2, "not-one-line")
    siaga("bandwidth", "--bins", "--by", "provider", "contract=K/A", *SPAN).failed(2, "not-one-line")
    siaga("bandwidth", "--since", "2026-10-06", "--until", "2026-10-05").failed(2, "empty-window")
    siaga("availability", "--by", "device", "nobody").failed(3, "nothing-selected")


@pytest.mark.parametrize("command", ["availability", "bandwidth"])
def test_the_time_to_come_is_no_part_of_a_window(siaga: Siaga, scripted: Settings, command: str) -> None:
    siaga(command, "--since", "2h", "--until", "2199-01-01").failed(2, "empty-window")
    now = utc_now()
    said = siaga(command, "--since", "2026-10-05", "--until", "2199-01-01").well().err
    assert abs(moment(said.split(" to ")[1].split(".\n")[0], now) - now) < timedelta(minutes=1)


def test_tables_say_the_denominator_and_what_is_not_known(siaga: Siaga, scripted: Settings) -> None:
    said = siaga("availability", *SPAN).well()
    assert "denominator of what users met" in said.err
    assert "95.833" in said.out
    said = siaga("bandwidth", "--by", "agency", *SPAN).well()
    assert "4 Mbps" in said.out
    empty = siaga("availability", "--since", "2026-09-01", "--until", "2026-09-02").well().out
    assert "100" not in empty
