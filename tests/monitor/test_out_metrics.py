"""/metrics: names that snmp_exporter's dashboards know, labels that no device can break out of, absence for unknown."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from inventory.store import open_engine
from monitor.out.families import Family, Point, family_of
from monitor.out.now import points
from monitor.out.serve import Server, listening
from monitor.out.text import OPENMETRICS, PROMETHEUS, lines
from monitor.samples import MISSING, Layout, Poll, Sample, ms_of, open_samples, polls_of
from siaga.clock import utc_now
from siaga.errors import TemporaryError
from siaga.settings import Settings
from tests.cli_runner import runner
from tests.monitor.out_world import ABOVE_FLOAT, measured, regency

NOW = utc_now().replace(microsecond=250_000)
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
LINE = re.compile(rf"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{{({LABEL}(?:,{LABEL})*)\}})? (\S+)(?: (\S+))?")


def told(
    home: Path, *, age_s: int = 300, openmetrics: bool = True, selector: tuple[str, ...] = ()
) -> list[str]:
    settings = regency(home, NOW)
    measured(home, 2, NOW - timedelta(minutes=5), NOW)
    found = points(open_engine(settings), settings, selector, NOW, timedelta(seconds=age_s))
    return "".join(lines(found, openmetrics=openmetrics)).splitlines()


def of(page: list[str], start: str) -> list[str]:
    return [line for line in page if line.startswith(start)]


def test_every_line_can_be_parsed_and_no_alias_breaks_out(tmp_path: Path) -> None:
    page = told(tmp_path / "home")
    values = [line for line in page if not line.startswith("#")]
    assert len(values) > 40
    assert [line for line in values if not LINE.fullmatch(line)] == []
    assert not [line for line in values if line.endswith("666")]
    assert "\u202e" not in "".join(page)
    assert "\x1b" not in "".join(page)


def test_the_octets_keep_their_name_their_digits_and_their_time(tmp_path: Path) -> None:
    (line,) = of(told(tmp_path / "home", selector=("name=rtr-1",)), "ifHCInOctets{")
    name, labels, value, at = LINE.fullmatch(line).groups()  # type: ignore[union-attr]
    assert name == "ifHCInOctets"
    assert {
        "device",
        "agency",
        "kecamatan",
        "place",
        "role",
        "ifName",
        "ifAlias",
        "ifDescr",
        "ifIndex",
    } == set(re.findall(r'([a-zA-Z]+)="', re.sub(r'="(?:[^"\\]|\\.)*"', '=""', labels)))
    assert value == str(ABOVE_FLOAT + 5_000_000)
    assert float(at) == pytest.approx(NOW.timestamp(), abs=0.001)


def test_a_window_that_came_late_takes_nothing_from_the_page(tmp_path: Path) -> None:
    home = tmp_path / "home"
    page = told(home, selector=("name=rtr-1",))
    with open_samples(home) as store:
        newest, _ = store.last(NOW)[1]
        assert newest.values is not None
        place = newest.layout.places["in_octets_64", "ether1"]
        values = np.full_like(newest.values, MISSING)
        values[place] = newest.values[place] + 7
        store.write([replace(newest, at_ms=newest.at_ms + 1500, values=values)])
    settings, at = Settings(home=home), NOW + timedelta(seconds=2)
    found = points(open_engine(settings), settings, ("name=rtr-1",), at, timedelta(minutes=5))
    late = "".join(lines(found, openmetrics=True)).splitlines()
    series = [{line.split("}")[0] for line in p if "{" in line} for p in (page, late)]
    assert series[0] == series[1]
    old, new = (float(of(p, "ifHCInOctets{")[0].split()[-1]) for p in (page, late))
    assert round(new - old, 3) == 1.5


def test_what_is_unknown_is_absent(tmp_path: Path) -> None:
    page = told(tmp_path / "home")
    up = {
        m[1]: m[2]
        for line in of(page, "siaga_device_up")
        if (m := re.search(r'device="([^"]*)".* (\d)$', line))
    }
    assert up == {"rtr-1": "1", "rtr-2": "0"}  # nobody has looked at rtr-old for a day
    states = [line for line in of(page, "siaga_device_state") if line.endswith(" 1")]
    assert sorted(re.findall(r'device="([^"]*)".*state="([^"]*)"', "\n".join(states))) == [
        ("rtr-1", "up"), ("rtr-2", "down"), ("rtr-old", "not observed"),
    ]  # fmt: skip
    assert of(page, "ifInDiscards") == []


def test_nothing_older_than_the_age_is_told(tmp_path: Path) -> None:
    home = tmp_path / "home"
    settings = regency(home, NOW)
    measured(home, 2, NOW - timedelta(minutes=20), NOW - timedelta(minutes=10))
    page = "".join(lines(points(open_engine(settings), settings, (), NOW, timedelta(minutes=5))))
    assert "\nifHCInOctets{" not in page
    assert "siaga_devices_measured 0" in page
    assert "siaga_newest_sample" not in page
    assert "\nifHCInOctets{" in "".join(
        lines(points(open_engine(settings), settings, (), NOW, timedelta(minutes=11)))
    )


def test_what_is_read_with_the_health_may_be_two_readings_old(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, now = tmp_path / "home", utc_now()
    regency(home, now)
    monkeypatch.setenv("SIAGA_HOME", str(home))
    siaga = runner(capsys)
    measured(home, 2, now - timedelta(minutes=20), now - timedelta(minutes=9))
    page = siaga("metrics").well().out
    assert "\nsiaga_sensor_temperature_celsius{" in page
    assert "\nifHCInOctets{" not in page
    assert "siaga_devices_measured 0" in page
    assert "siaga_sensor_temperature_celsius{" not in siaga("metrics", "--max-age", "5m").well().out


def test_an_echo_that_came_after_the_counters_takes_none_of_them_away(tmp_path: Path) -> None:
    before = told(tmp_path / "a", selector=("name=rtr-1",))
    with open_samples(tmp_path / "a") as store:
        at = NOW + timedelta(seconds=1)
        store.write(polls_of([Sample(1, "rtt", "", at, 900), Sample(1, "loss", "", at, 0)]))
    settings = Settings(home=tmp_path / "a")
    later = NOW + timedelta(seconds=2)
    page = "".join(
        lines(points(open_engine(settings), settings, ("name=rtr-1",), later, timedelta(minutes=5)))
    )
    for start in ("ifHCInOctets{", "ifHCOutOctets{", "siaga_sensor_temperature_celsius{"):
        assert of(page.splitlines(), start) == of(before, start) != []
    assert "siaga_devices_measured 1" in page


@pytest.mark.parametrize("sealed", [False, True])
def test_each_series_is_told_by_its_newest_value_and_once(tmp_path: Path, sealed: bool) -> None:
    """As where a part of a round was read later, and stands under its own time."""
    names = [("in_octets_64", f"ether{i}") for i in range(4)]
    layout = Layout((("uptime", ""), *names))
    other = Layout((("cpu", ""), names[0]))
    ms = ms_of(NOW) - 60_000

    def poll(of: Layout, at_s: int, *values: int) -> Poll:
        return Poll(1, ms + at_s * 1000, of, np.array(values, np.int64), asked=False, answered=False)

    with open_samples(tmp_path) as store:
        store.write([poll(layout, 0, 1, 10, 20, 30, MISSING), poll(other, 1, 7, 11)])
        store.write([poll(layout, 30, 31, 13, MISSING, MISSING, MISSING)])
        store.write([poll(layout, 33, 34, MISSING, 23, MISSING, MISSING)])
        if sealed:
            store.maintain(NOW + timedelta(hours=2))
        found = store.newest(NOW, [1], 301)
    values = {
        name: (p.at_ms - ms, value)
        for p in found[1]
        for name, value in zip(p.layout.columns, p.values.tolist(), strict=True)  # type: ignore[union-attr]
        if value != MISSING
    }
    assert sum((p.values != MISSING).sum() for p in found[1]) == len(values)
    assert values == {
        ("uptime", ""): (33_000, 34), ("cpu", ""): (1_000, 7),
        names[0]: (30_000, 13), names[1]: (33_000, 23), names[2]: (0, 30),
    }  # fmt: skip


def test_counters_end_in_total_but_for_those_of_the_mib() -> None:
    own = family_of("in_pause_frames_64")
    page = "".join(lines([Point(own, (), 3), Point(family_of("in_octets_64"), (), 4)])).splitlines()
    assert page == [
        "# HELP ifHCInOctets Octets received (IF-MIB, 64 bits).", "# TYPE ifHCInOctets unknown", "ifHCInOctets 4",
        "# HELP siaga_interface_in_pause_frames The counter in_pause_frames of an interface.",
        "# TYPE siaga_interface_in_pause_frames counter", "siaga_interface_in_pause_frames_total 3", "# EOF",
    ]  # fmt: skip
    plain = "".join(lines([Point(own, (), 3)], openmetrics=False)).splitlines()
    assert plain[1:] == [
        "# TYPE siaga_interface_in_pause_frames_total counter", "siaga_interface_in_pause_frames_total 3",
    ]  # fmt: skip


def test_a_series_stands_once_and_families_stand_together() -> None:
    one, two = Family("a", "gauge", "A."), Family("b", "gauge", "B.")
    twice = [Point(one, (("x", "1"),), 1), Point(two, (), 2), Point(one, (("x", "1"),), 9)]
    assert [line for line in lines(twice, openmetrics=False) if line[0] != "#"] == ['a{x="1"} 1\n', "b 2\n"]


def test_sensors_bear_their_class_and_unit(tmp_path: Path) -> None:
    page = told(tmp_path / "home", selector=("name=rtr-1",))
    (warm,) = of(page, "siaga_sensor_temperature_celsius{")
    assert 'class="temperature"' in warm
    assert 'unit="°C"} 41.5 ' in warm
    (runtime,) = of(page, "siaga_sensor_runtime_seconds{")
    assert "} 1800 " in runtime  # told in minutes, shown in seconds


async def asked(port: int, request: bytes) -> tuple[str, str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return head, body


def served(scrape: object, *requests: bytes) -> list[tuple[str, str]]:
    async def run() -> list[tuple[str, str]]:
        async with listening(scrape, "127.0.0.1", 0) as port:  # type: ignore[arg-type]
            return [await asked(port, request) for request in requests]

    return asyncio.run(run())


def test_the_format_is_the_one_that_was_asked_for() -> None:
    accept = b"Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n"
    answers = served(
        lambda om: f"{om}\n",
        b"GET /metrics HTTP/1.1\r\n" + accept + b"\r\n",
        b"GET /metrics?x=1 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"HEAD /metrics HTTP/1.1\r\n\r\n",
    )
    assert [body for _, body in answers] == ["True\n", "False\n", ""]
    assert [OPENMETRICS in answers[0][0], PROMETHEUS in answers[1][0]] == [True, True]


def test_nothing_can_be_changed_and_nonsense_is_refused() -> None:
    answers = served(
        lambda om: "", b"POST /metrics HTTP/1.1\r\n\r\n", b"GET /etc/passwd HTTP/1.1\r\n\r\n", b"\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
    )  # fmt: skip
    assert [head.split(" ")[1] for head, _ in answers] == ["405", "404", "400", "400"]


def test_an_error_names_no_file() -> None:
    def broken(openmetrics: bool) -> str:
        raise TemporaryError("samples-unavailable", "The samples in /secret/place cannot be used.")

    ((head, body),) = served(broken, b"GET /metrics HTTP/1.1\r\n\r\n")
    assert (head.split(" ")[1], body) == ("503", "samples-unavailable\n")


def test_more_connections_than_allowed_are_sent_away() -> None:
    async def run() -> str:
        server = Server(lambda om: "page\n", connections=1)
        listener = await asyncio.start_server(server.connected, "127.0.0.1", 0)
        async with listener:
            port = listener.sockets[0].getsockname()[1]
            _, idle = await asyncio.open_connection("127.0.0.1", port)
            head, _ = await asked(port, b"GET /metrics HTTP/1.1\r\n\r\n")
            idle.close()
            await idle.wait_closed()
            return head

    assert asyncio.run(run()).split(" ")[1] == "503"


def test_the_command_prints_what_is_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    regency(tmp_path / "home", utc_now())
    monkeypatch.setenv("SIAGA_HOME", str(tmp_path / "home"))
    siaga = runner(capsys)
    assert siaga("metrics").well().out.endswith("# EOF\n")
    chosen = siaga("metrics", "name=rtr-2", "--text").well().out
    assert 'device="rtr-2"' in chosen
    assert 'device="rtr-1"' not in chosen
    assert "# EOF" not in chosen
    assert not any(LINE.fullmatch(row)[4] for row in chosen.splitlines() if row[0] != "#")  # type: ignore[index]
    siaga("metrics", "--max-age", "soon").failed(2, "bad-window")
    siaga("metrics", "serve", "--listen", "nowhere").failed(2, "bad-address")
    siaga("metrics", "serve", "--listen", "127.0.0.1:0", "--for", "0.01").well()
