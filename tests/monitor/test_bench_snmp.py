"""The benchmark of SNMP pollers counts and compares rightly; otherwise its figures would mean nothing."""

import json
from pathlib import Path

import pytest
import yaml

from bench.snmp import clients, exporter, poll, results
from bench.snmp.__main__ import arguments
from bench.snmp.client_tools import commands
from bench.snmp.clients_async import Count
from bench.snmp.results import Goal, Outcome


def outcome(ok: int, cpu_s: float, **more: float) -> Outcome:
    told = {"failed": 0, "varbinds": ok * 309, "wall_s": 2 * cpu_s, "rss_kb": 2048} | more
    return results.read_outcome(
        json.dumps({"client": "x", "version": "2c", "parser": "c", "ok": ok, "cpu_s": cpu_s} | told)
    )


def test_devices_have_addresses_of_their_own_on_loopback_only():
    assert [poll.address(i) for i in (0, 1, 255, 65_535)] == [
        "127.16.0.1",
        "127.16.0.2",
        "127.16.1.0",
        "127.17.0.0",
    ]
    assert len({poll.mark(poll.address(i)) for i in range(70_000)}) == 70_000
    for i in (-1, 1 << 24):
        with pytest.raises(ValueError, match="no device"):
            poll.address(i)


def test_a_poll_is_sys_up_time_and_eleven_columns_of_every_interface():
    assert poll.VARBINDS == 309
    assert len(commands("127.16.0.1", 18161, "2c")) == 12


def test_the_last_line_of_json_is_the_outcome():
    line = '{"client": "x", "version": "3", "parser": "c", "ok": 3, "failed": 1, "varbinds": 927, '
    line += '"wall_s": 0.5, "cpu_s": 0.25, "rss_kb": 2048, "lag_max_s": null, "beside": true}'
    found = results.read_outcome(f"loading\n{line}\nbye\n")
    assert found == Outcome("x", "3", "c", 3, 1, 927, 0.5, 0.25, 2048)
    assert found.devices_per_cpu_s == 12


@pytest.mark.parametrize("text", ["", "Traceback\n", '{"client": "x"}', '{"client": '])
def test_a_client_that_tells_no_outcome_is_found_out(text: str):
    with pytest.raises(ValueError):  # noqa: PT011 - json's own is one too
        results.read_outcome(text)


def test_a_rate_is_the_median_of_the_runs_and_sums_what_failed():
    found = results.rate([outcome(100, 1.0), outcome(300, 1.0, failed=2), outcome(200, 1.0, rss_kb=4096)])
    assert found == results.Rate(200, 100, 300, 200 * 309, 2, 4.0, 50.0)


def test_a_run_too_short_to_be_timed_is_no_rate():
    assert results.rate([outcome(100, 0.0)]).median == 0


def test_ratios_stand_beside_both_peers_and_only_beside_those_that_ran():
    rates = {
        results.PURE: results.rate([outcome(12_000, 1.0)]),
        results.EXPORTER: results.rate([outcome(600, 1.0)]),
    }
    assert results.ratio(rates, results.PURE, results.EXPORTER) == 20
    assert results.ratio(rates, results.PURE, results.NETSNMP) is None
    first, _, *rows = results.rate_table(rates).splitlines()
    cells = [[c.strip() for c in row.strip("|").split("|")] for row in (first, *rows)]
    assert [len(row) for row in cells] == [9, 9, 9]
    assert cells[1:] == [
        ["siaga", "12,000", "12,000–12,000", "3,708,000", "20", "", "50", "2", "0"],
        ["snmp_exporter", "600", "600–600", "185,400", "1.0", "", "50", "2", "0"],
    ]


def test_a_promise_is_kept_missed_or_not_measured():
    assert Goal("a", 10, 10).holds
    assert Goal("a", 10, 9.99).holds is False
    assert Goal("a", 3, 3.1, at_most=True).holds is False
    assert Goal("a", 0, 0, at_most=True).holds
    assert Goal("a", 0, None).holds is None
    table = results.goal_table(
        [Goal("rate", 10_000, 9_999.4), Goal("s", 0.5, 0.123, at_most=True), Goal("x", 1.3, None)]
    )
    cells = [[c.strip() for c in row.strip("|").split("|")] for row in table.splitlines()[2:]]
    assert cells == [
        ["rate", "≥ 10,000", "9,999", "NO"],
        ["s", "≤ 0.5", "0.12", "yes"],
        ["x", "≥ 1.3", "", "not measured"],
    ]


def test_every_version_has_its_own_promises():
    rates = {
        results.PURE: results.rate([outcome(6_000, 1.0)]),
        results.NETSNMP: results.rate([outcome(3_000, 1.0)]),
    }
    assert [(g.promised, g.measured, g.holds) for g in results.rate_goals("3", rates)] == [
        (5_000, 6_000, True),
        (9, None, None),
        (1.3, 2.0, True),
    ]
    assert results.rate_goals("2c", rates)[0].holds is False


def test_a_live_device_of_which_nothing_came_is_a_false_outage():
    told = results.round_of(outcome(95, 0.1, failed=5, false_down=0), silent=4)
    assert (told.false_down, told.cut_short) == (0, 1)
    untold = results.round_of(outcome(95, 0.1, failed=5), silent=4)
    assert (untold.false_down, untold.cut_short) == (1, 0)
    assert [g.holds for g in results.loss_goals("2c", "siaga", untold)] == [False]
    assert all(g.holds for g in results.steady_goals("2c", "siaga", told))
    assert results.round_table([("siaga", told)]).splitlines()[2].split("|")[3:6] == [
        "      5 ",
        "         1 ",
        "             0 ",
    ]


def test_a_poll_counts_only_when_it_is_whole_and_of_the_device_meant():
    where, count = poll.address(7), Count()
    rows = range(1, poll.INTERFACES + 1)
    values = {f"{oid}.{row}": 0 for oid in poll.COLUMNS.values() for row in rows} | {poll.SYS_UP_TIME: 1}
    values |= {f"{poll.COLUMNS['ifInErrors']}.{row}": poll.mark(where) for row in rows}
    count.add(where, values)
    count.add(poll.address(8), values)
    count.add(where, dict(list(values.items())[1:]))
    assert (count.ok, count.failed, count.varbinds) == (1, 2, 3 * 309 - 1)


def test_a_scrape_counts_only_when_it_is_whole_and_of_the_device_meant():
    where = poll.address(7)
    samples = [f'{c}{{ifIndex="{r}"}} 0' for c in poll.COLUMNS if c != "ifInErrors" for r in range(1, 29)]
    samples += [f'ifInErrors{{ifIndex="{r}"}} {poll.mark(where)}' for r in range(1, 29)]
    text = "\n".join(["# HELP sysUpTime", "sysUpTime 1", "snmp_scrape_duration_seconds 0.1", *samples])
    assert exporter.is_whole(text, where)
    assert exporter.is_whole(text.replace(str(poll.mark(where)), f"{poll.mark(where) / 1e6}e+06"), where)
    assert not exporter.is_whole(text, poll.address(8))
    assert not exporter.is_whole("\n".join(text.splitlines()[:-1]), where)


def test_both_versions_are_modules_of_the_exporter():
    modules = yaml.safe_load(exporter.configuration())
    assert {name: m["version"] for name, m in modules.items()} == {"poll2c": 2, "poll3": 3}
    assert all(m["walk"] == list(poll.COLUMNS.values()) for m in modules.values())


def test_a_client_is_asked_the_same_way_whatever_it_is():
    netsnmp, *_ = clients.peers(clients.Programs(netsnmp=Path("netsnmp_async")))
    assert netsnmp.asked(18161, "3") == [
        *("netsnmp_async", "--port", "18161", "--version", "3"),
        *("--devices", "1500", "--rounds", "2", "--window", "64"),
    ]
    assert netsnmp.in_scenario(18161, "2c", 10, 5)[5:] == [
        *("--devices", "10", "--rounds", "1", "--window", "5", "--timeout", "2", "--retries", "2"),
    ]


def test_quick_is_one_repetition_and_small_scenarios():
    given = arguments(["--quick", "--versions", "2c", "--scenario", "loss"])
    assert (given.reps, given.versions, [(s.name, s.devices) for s in given.scenarios]) == (
        1,
        ["2c"],
        [("loss", 1000)],
    )
    assert [s.devices for s in arguments([]).scenarios] == [5000, 5000]
    with pytest.raises(SystemExit):
        arguments(["--versions", "1"])
