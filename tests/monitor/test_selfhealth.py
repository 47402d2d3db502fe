"""siaga's own health: figures over a window, from what it stored of itself, and alarms from what it is now."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.lateness import Lateness
from monitor.samples import OWN, open_samples
from monitor.selfhealth import SelfHealth, self_health
from monitor.selfwatch import SelfWatch, own_polls
from monitor.sinks import Judge, StoreSink
from siaga.settings import Settings

T0 = datetime(2026, 3, 2, 0, 0, 30, tzinfo=UTC)


def test_figures_of_a_window_are_those_that_were_stored(tmp_path: Path) -> None:
    with open_samples(tmp_path) as store:
        for n in range(100):
            figures = {
                "late_s": 90.5 if n >= 90 else n / 10, "unpolled": 3 if n == 50 else 0, "samples_waiting": n,
                "news_waiting": 2, "loop_lag_s": 0.01, "commit_s": 0.002 * (n + 1),
            }  # fmt: skip
            store.write(own_polls(figures, OWN, T0 + timedelta(minutes=n)))
        start = T0.replace(second=0)
        found = self_health(store, start, start + timedelta(minutes=200))
        assert found == SelfHealth(
            minutes=100, seen_pct=50.0, punctual_pct=90.0, late_p95_s=90.5, late_max_s=90.5, unpolled_max=3,
            waiting_max=101, loop_lag_max_s=0.01, commit_p95_s=0.19,
        )  # fmt: skip
        assert self_health(store, start - timedelta(days=2), start) == SelfHealth(0, 0.0)


def test_what_was_lost_counts_for_an_hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=tmp_path)
    store = StoreSink(settings, print, lambda: 0.0)
    judge = Judge(None, settings, None, print, lambda: 0.0)  # type: ignore[arg-type]
    watch = SelfWatch(Lateness(0.0), store, judge, T0)
    seen = []
    for at_s, lost in ((10.0, 0), (20.0, 5), (1800.0, 7), (3615.0, 7), (3625.0, 7), (5400.0, 7), (9000.0, 8)):
        store.lost = lost
        values = watch.subject(at_s).values
        seen.append((values["lost"], values["lost_hour"]))
    assert seen == [(0, 0), (5, 5), (7, 7), (7, 7), (7, 2), (7, 0), (8, 1)]
