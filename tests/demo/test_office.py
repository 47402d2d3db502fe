"""The demo's office and its month fit the simulated regency, and count from the day of the demo."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from demo import office
from demo.month import STEP_S, _counters, _octets, month_before, write
from demo.regency import Secrets, build
from monitor.samples import Poll, ms_of, open_samples

NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
REGENCY = build(Path("/nowhere"), 1, Secrets.drawn())


def test_rows_refer_to_what_there_is(tmp_path: Path) -> None:
    made = office.rows(tmp_path, REGENCY, 1, NOW)
    known = {
        noun: {row["name"] for row in rows} for noun, rows in REGENCY.sheets.items() if noun != "interface"
    }
    for noun in ("place", "contract", "service"):
        assert {row["name"] for row in made[noun]} <= known[noun], noun
    devices, people = known["device"], {row["name"] for row in made["person"]}
    assert {row["device"] for noun in ("asset", "outage") for row in made[noun]} <= devices
    assert {row["person"] for noun in ("certificate", "risk") for row in made[noun]} <= people
    names = [(noun, row["name"]) for noun, rows in made.items() for row in rows]
    assert len(names) == len(set(names))
    assert all(
        (tmp_path / "evidence" / row["sha256"][:2] / row["sha256"]).is_file() for row in made["evidence"]
    )


def test_outages_lie_in_the_past_and_most_of_them_in_the_month_before() -> None:
    for now in (NOW, datetime(2026, 3, 1, 0, 30, tzinfo=UTC), datetime(2027, 1, 31, 20, tzinfo=UTC)):
        some = list(office.outages(now))
        assert all(start < end < now - timedelta(hours=24) for _, start, end, _ in some)
        began = month_before(now)
        assert began < now - timedelta(days=27)
        assert sum(began <= start < began + timedelta(days=28) for _, start, _, _ in some) >= 12


def test_the_counters_of_the_month_are_those_of_the_simulation() -> None:
    device = next(d for d in REGENCY.agents if d.spec.ports)
    port = device.spec.ports[0]
    times = np.array([-50 * 86_400.0, -86_400.0, -3.5, 0.0])
    assert np.abs(_octets(port.rx, times) - [port.rx.octets(t) for t in times.tolist()]).max() <= 1
    both = _counters([port], times)
    assert both.shape == (4, 2)
    assert (np.diff(both, axis=0) > 0).all()


class _Session:
    """Takes what is added."""

    def __init__(self) -> None:
        self.added: list[object] = []

    def add_all(self, rows: object) -> None:
        self.added += list(rows)  # type: ignore[call-overload]


def test_a_device_is_silent_while_it_is_down(tmp_path: Path) -> None:
    name, start, end, _ = next(iter(office.outages(NOW)))
    written: list[Poll] = []

    class Store:
        def write(self, polls: list[Poll]) -> None:
            written.extend(polls)

    session = _Session()
    count = write(Store(), session, REGENCY, {name: 7}, NOW)  # type: ignore[arg-type]
    assert count == len(written) == (NOW - timedelta(hours=24) - month_before(NOW)).total_seconds() // STEP_S
    silent = [p for p in written if not p.answered]
    assert [ms_of(start) <= p.at_ms < ms_of(end) for p in silent] == [True] * len(silent)
    assert len(silent) == (end - start).total_seconds() // STEP_S
    assert len(session.added) == 3
    with open_samples(tmp_path) as store:
        store.write(written[:48])
        assert len(store.asked(month_before(NOW), NOW)[7]) == 48
