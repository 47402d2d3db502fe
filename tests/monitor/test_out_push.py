"""Remote write: what is stored arrives, each value once, whatever the other side does meanwhile."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.store import open_engine
from monitor.out import cursor as cursors
from monitor.out.message import body, halves, labels, samples, series
from monitor.out.push import Pushed, push, push_all
from monitor.out.send import Later, Refused, Took, result
from monitor.out.snappy import Block
from monitor.samples import Sample, open_samples, polls_of
from monitor.tsdb.arrivals import Mark
from siaga.clock import utc_now
from siaga.settings import Settings
from tests.cli_runner import runner
from tests.monitor.out_world import ABOVE_FLOAT, measured, regency
from tests.monitor.remote_receiver import Receiver, Wrote, receiving, unpacked, unsnapped

NOW = utc_now().replace(microsecond=0)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(Receiver()) as one:
        yield one


def world(home: Path, receiver: Receiver, **more: Any) -> Settings:
    return regency(home, NOW, remote_write=[{"name": "vm", "url": receiver.url, **more}])


def pushed(
    settings: Settings, now: datetime = NOW, *, since: datetime | None = None, at_once: bool = True
) -> Pushed:
    to = settings.remote_write[0]
    return push(open_engine(settings), settings, to, lambda: now, since=since, at_once=at_once)


# --- the format


@given(
    st.lists(
        st.tuples(
            st.booleans(), st.sampled_from([b"", b"a", b"label" * 3, b"x" * 61, b"y" * 300, b"z" * 70_000])
        )
    )
)
def test_a_block_of_snappy_is_what_was_written(parts: list[tuple[bool, bytes]]) -> None:
    block = Block()
    for again, octets in parts:
        (block.again if again else block.literal)(octets)
    assert unsnapped(block.done()) == b"".join(octets for _, octets in parts)


@given(
    st.lists(
        st.tuples(st.integers(0, 2**42 - 1), st.floats(allow_nan=False)), min_size=1, unique_by=lambda p: p[0]
    )
)
def test_samples_arrive_as_they_were(pairs: list[tuple[int, float]]) -> None:
    pairs.sort()
    octets = samples(np.array([p[0] for p in pairs]), np.array([[p[1] for p in pairs]]))
    one = series("up", (("a", 'é\n"'),))
    whole = type(one)(one.name, one.rest, octets.tobytes(), len(pairs), one.what)
    assert unpacked(body([whole])) == {(("__name__", "up"), ("a", 'é\n"')): dict(pairs)}
    cut = halves([whole])
    assert (cut is None) == (len(pairs) == 1)
    if cut:
        both = {**unpacked(body(cut[0])).popitem()[1], **unpacked(body(cut[1])).popitem()[1]}
        assert both == dict(pairs)


def test_what_is_alike_costs_little() -> None:
    rest = tuple((f"label{i}", "some value of a label") for i in range(9))
    one = series("ifHCInOctets", rest)
    octets = samples(np.array([1_700_000_000_000]), np.array([[1.0]])).tobytes()
    many = [
        type(one)(labels((("__name__", f"metric_{i}"),)), one.rest, octets, 1, one.what) for i in range(8)
    ]
    assert len(body(many)) < len(one.rest) + 8 * 80


# --- what arrives


def test_what_was_stored_arrives_once_and_in_its_units(tmp_path: Path, receiver: Receiver) -> None:
    settings = world(tmp_path, receiver, labels={"site": "tigaraksa"})
    assert pushed(settings).samples == 0  # begins here
    count = measured(tmp_path, 2, NOW - 10 * MINUTE, NOW)
    assert pushed(settings).samples == count
    assert receiver.samples() == count
    assert pushed(settings).samples == 0
    of = {
        labels[0][1]: (dict(labels), times)
        for labels, times in receiver.wrote.items()
        if ("device", "rtr-1") in labels
    }
    named, times = of["ifHCInOctets"]
    assert (named["site"], named["ifName"], named["kecamatan"]) == ("tigaraksa", "ether1", "Mauk")
    assert min(times.values()) == float(ABOVE_FLOAT)
    assert set(of["siaga_sensor_temperature_celsius"][1].values()) == {41.5}
    assert set(of["siaga_sensor_runtime_seconds"][1].values()) == {1800.0}
    assert receiver.headers["Content-Encoding"] == "snappy"


def test_states_and_contracts_go_along(tmp_path: Path, receiver: Receiver) -> None:
    settings = world(tmp_path, receiver)
    assert pushed(settings).facts > 20
    names = {labels[0][1] for labels in receiver.wrote}
    assert {"siaga_device_state", "siaga_device_up", "siaga_alert", "siaga_connection_committed_bps"} <= names


def test_what_comes_late_is_sent_too(tmp_path: Path, receiver: Receiver) -> None:
    settings = world(tmp_path, receiver)
    pushed(settings)
    count = measured(tmp_path, 2, NOW - 3 * MINUTE, NOW)
    pushed(settings)
    with open_samples(tmp_path) as store:
        store.write(polls_of([Sample(1, "cpu", "", NOW - timedelta(days=3), 100)]))
    assert pushed(settings).samples == 1
    assert receiver.samples() == count + 1


def test_what_was_sealed_and_compacted_before_it_was_sent_is_found(
    tmp_path: Path, receiver: Receiver
) -> None:
    settings = world(tmp_path, receiver)
    pushed(settings, NOW - timedelta(days=3))
    count = measured(tmp_path, 2, NOW - timedelta(days=2, hours=1), NOW - timedelta(days=1), step_s=600)
    with open_samples(tmp_path) as store:
        store.maintain(NOW)  # into day files
    count += measured(tmp_path, 2, NOW - timedelta(hours=5), NOW, step_s=300)
    with open_samples(tmp_path) as store:
        store.maintain(NOW)  # into blocks of hours, the last one stays in the head
    assert list((tmp_path / "tsdb" / "raw").glob("*.db"))
    assert pushed(settings).samples == count
    assert receiver.samples() == count
    assert pushed(settings).samples == 0


def test_the_past_is_sent_when_it_is_asked_for(tmp_path: Path, receiver: Receiver) -> None:
    count = measured_before = measured(
        tmp_path, 2, NOW - timedelta(hours=3), NOW - timedelta(hours=1), step_s=300
    )
    settings = world(tmp_path, receiver)
    count += measured(tmp_path, 2, NOW - 10 * MINUTE, NOW)
    assert measured_before
    assert pushed(settings, since=NOW - timedelta(hours=4)).samples == count
    assert receiver.samples() == count


def test_only_the_chosen_devices_are_sent(tmp_path: Path, receiver: Receiver) -> None:
    settings = world(tmp_path, receiver, when="name=rtr-2")
    pushed(settings)
    count = measured(tmp_path, 2, NOW - 3 * MINUTE, NOW)
    assert pushed(settings).samples == count // 2
    assert {dict(labels)["device"] for labels in receiver.wrote if ("role", "router") in labels} == {"rtr-2"}


# --- failures


def test_nothing_moves_without_a_2xx(tmp_path: Path, receiver: Receiver) -> None:
    settings = world(tmp_path, receiver, batch_samples=40)
    pushed(settings)
    count = measured(tmp_path, 2, NOW - 10 * MINUTE, NOW)
    answers = iter([204, 204, 503])
    receiver.answer = lambda _: (next(answers), "", {})
    first = pushed(settings)
    assert "HTTP 503" in first.error
    receiver.answer = lambda _: (204, "", {})
    assert pushed(settings).samples == count
    assert receiver.samples() == count


def test_it_rests_as_long_as_it_is_asked_to(tmp_path: Path, receiver: Receiver) -> None:
    settings = world(tmp_path, receiver)
    pushed(settings)
    measured(tmp_path, 1, NOW - MINUTE, NOW)
    receiver.answer = lambda _: (429, "", {"Retry-After": "600"})
    assert pushed(settings).rests_s >= 600
    asked = len(receiver.requests)
    assert "429" in pushed(settings, at_once=False).error
    assert len(receiver.requests) == asked
    receiver.answer = lambda _: (204, "", {})
    assert pushed(settings, NOW + timedelta(seconds=1200), at_once=False).samples == 20


def test_what_is_refused_is_left_out_and_named(tmp_path: Path, receiver: Receiver) -> None:
    settings = world(tmp_path, receiver)
    pushed(settings)
    count = measured(tmp_path, 2, NOW - 10 * MINUTE, NOW)

    def answer(wrote: Wrote) -> tuple[int, str, dict[str, str]]:
        bad = [t for labels, times in wrote.items() if labels[0][1] == "sysUpTime" for t in times]
        return (400, "out of bounds", {}) if any(t >= NOW.timestamp() * 1000 for t in bad) else (204, "", {})

    receiver.answer = answer
    said = pushed(settings)
    assert (said.dropped, said.samples, receiver.samples()) == (2, count - 2, count - 2)
    assert {left.why for left in said.left} == {"HTTP 400: out of bounds"}
    assert all("sysUpTime{" in left.what and "device='rtr-" in left.what for left in said.left)
    assert pushed(settings).samples == 0


def test_when_all_is_refused_it_ends(tmp_path: Path, receiver: Receiver) -> None:
    settings = world(tmp_path, receiver)
    pushed(settings)
    count = measured(tmp_path, 2, NOW - 60 * MINUTE, NOW)
    receiver.refuse = 400
    assert pushed(settings).error == ""
    assert len(receiver.requests) < 1000
    assert json.loads(cursors.place(tmp_path, "vm").read_text())["dropped"] == count


def test_a_database_that_forgets_its_last_seconds_gets_them_again(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A round a minute; each time the clock goes on 60 s. What was taken at the last 100 s is lost in the crash."""
    clock = iter(range(1000, 100_000, 60))
    monkeypatch.setattr("monitor.out.push._clock_s", lambda: float(next(clock)))
    settings = world(tmp_path, receiver)
    pushed(settings)
    total, lasting = 0, {}
    for minute in range(10):
        total += measured(tmp_path, 2, NOW + minute * MINUTE, NOW + minute * MINUTE)
        pushed(settings, NOW + minute * MINUTE)
        if minute == 7:
            lasting = {labels: dict(times) for labels, times in receiver.wrote.items()}
    receiver.wrote = lasting
    receiver.answer = lambda _: (503, "", {})
    for _ in range(3):
        pushed(settings, NOW + 10 * MINUTE)
    receiver.answer = lambda _: (204, "", {})
    assert pushed(settings, NOW + 11 * MINUTE).samples < total
    assert receiver.samples() == total


def test_each_pass_begins_earlier_where_that_is_wanted(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(1000, 100_000, 60))
    monkeypatch.setattr("monitor.out.push._clock_s", lambda: float(next(clock)))
    settings = world(tmp_path, receiver, again_s=30)
    pushed(settings)
    counts = []
    for minute in range(3):
        measured(tmp_path, 2, NOW + minute * MINUTE, NOW + minute * MINUTE)
        counts.append(pushed(settings, NOW + minute * MINUTE).samples)
    assert counts == [20, 40, 40]
    assert receiver.samples() == 60


def test_a_cursor_that_is_lost_or_nonsense_is_begun_anew(tmp_path: Path, receiver: Receiver) -> None:
    settings = world(tmp_path, receiver)
    measured(tmp_path, 1, NOW - MINUTE, NOW)
    path = cursors.place(tmp_path, "vm")
    for text in ("", "[]", '{"trail": []}', '{"trail": [{"clock_s": "x"}]}', '{"trail": 3}', "\x00"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        assert pushed(settings).error == ""
        assert cursors.read(path) is not None


def test_what_is_wrong_with_one_destination_does_not_hold_up_the_others(
    tmp_path: Path, receiver: Receiver
) -> None:
    bad = {"name": "bad", "url": receiver.url, "credential": "nobody"}
    settings = regency(tmp_path, NOW, remote_write=[bad, {"name": "vm", "url": receiver.url}])
    wrong, right = push_all(open_engine(settings), settings, settings.remote_write, utc_now)
    assert "'nobody'" in wrong.error
    assert (right.error, right.facts > 0) == ("", True)


# --- the cursor


@given(st.lists(st.integers(0, 90), min_size=1, max_size=40), st.integers(60, 200))
def test_a_failure_goes_back_far_enough_and_no_further_for_being_repeated(
    waits: list[int], rewind_s: int
) -> None:
    clock, at = 0.0, {0: 0.0}
    cursor = cursors.begun(Mark(0, 0), clock)
    for row, wait in enumerate(waits, 1):
        clock += wait
        at[row] = clock
        cursor = cursors.taken(cursor, Mark(row, row), clock, rewind_s, sent=1, now=NOW)
    back = cursors.failed(cursor, "away", 0.0, rewind_s)
    again = cursors.failed(back, "away", 0.0, rewind_s)
    assert back.mark == again.mark
    assert back.mark.row == 0 or at[back.mark.row] <= clock - rewind_s
    assert cursors.failed(cursor, "busy", 0.0, rewind_s, rewind=False).mark == cursor.mark


def test_after_a_reboot_all_that_is_remembered_may_be_recent() -> None:
    cursor = cursors.begun(Mark(1, 1), 50_000)
    cursor = cursors.taken(cursor, Mark(2, 2), 50_100, 60, sent=1, now=NOW)
    cursor = cursors.taken(cursor, Mark(3, 3), 10, 60, sent=1, now=NOW)
    assert cursors.failed(cursor, "away", 0.0, 60).mark.row < 3


@pytest.mark.parametrize(
    ("status", "kind", "lives"),
    [(204, Took, None), (400, Refused, None), (413, Refused, None), (429, Later, True), (503, Later, False),
     (401, Later, True), (404, Later, True), (302, Later, True)],
)  # fmt: skip
def test_what_an_answer_means(status: int, kind: type, lives: bool | None) -> None:
    found = result(status, "why")
    assert isinstance(found, kind)
    assert getattr(found, "lives", None) is lives


# --- the command


def test_the_command_says_what_went_and_what_did_not(
    tmp_path: Path, receiver: Receiver, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    regency(home, NOW)
    config = tmp_path / "siaga.toml"
    config.write_text(f'[[remote_write]]\nname = "vm"\nurl = "{receiver.url}"\ncredential = "vm"\n')
    monkeypatch.setenv("SIAGA_CONFIG", str(config))
    monkeypatch.setenv("SIAGA_HOME", str(home))
    monkeypatch.setenv("VM_TOKEN", "geheim-123")
    siaga = runner(capsys)
    siaga("metrics", "push").failed(3, "no-such-credential")
    siaga("credential", "add", "vm", "kind=token", "--secret", "token=env:VM_TOKEN").well()
    siaga("metrics", "push").well()
    assert receiver.headers["Authorization"] == "Bearer geheim-123"
    measured(home, 1, utc_now() - MINUTE, utc_now())
    (row,) = json.loads(siaga("metrics", "push", "-o", "json").well().out)
    assert (row["destination"], row["samples"]) == ("vm", 20)
    assert 'siaga_remote_write_samples_total{destination="vm"} 20' in siaga("metrics").well().out
    receiver.answer = lambda _: (500, "geheim", {})
    said = siaga("metrics", "push")
    assert said.code == 7
    assert "HTTP 500" in said.out
    siaga("metrics", "push", "nobody").failed(3, "no-destination")
    assert "geheim-123" not in cursors.place(home, "vm").read_text()


@pytest.mark.parametrize(
    "text",
    ['url = "http://u:p@x/"', 'url = "ftp://x/"', 'url = "http://x/"\nrewind_s = 5',
     'url = "http://x/"\nheaders = { Authorization = "x" }', 'url = "http://x/"\nlabels = { "a-b" = "x" }'],
)  # fmt: skip
def test_bad_settings_are_told(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "siaga.toml"
    config.write_text(f'[[remote_write]]\nname = "vm"\n{text}\n')
    monkeypatch.setenv("SIAGA_CONFIG", str(config))
    runner(capsys)("metrics", "push").failed(5, "bad-settings")
