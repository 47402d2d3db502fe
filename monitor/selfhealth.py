"""How well siaga itself did over any time: how late it was, whom it left out, what waited. From its own samples."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.instance import LATE_S
from monitor.samples import OWN, SampleStore, Series

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_EACH = timedelta(minutes=1)  # the service measures itself once a minute
_SCALE = 1000.0  # its figures are kept in thousandths
_FIGURES = ("late_s", "unpolled", "samples_waiting", "news_waiting", "loop_lag_s", "commit_s")


@dataclass(frozen=True)
class SelfHealth:
    """Figures over a window; None: it did not run then. `seen_pct`: the share of its minutes in which it ran.

    `punctual_pct`: of these, the share in which it was at most a minute behind.
    """

    minutes: int
    seen_pct: float
    punctual_pct: float | None = None
    late_p95_s: float | None = None
    late_max_s: float | None = None
    unpolled_max: int | None = None
    waiting_max: int | None = None
    loop_lag_max_s: float | None = None
    commit_p95_s: float | None = None


def self_health(samples: SampleStore, start: datetime, end: datetime) -> SelfHealth:
    """Return how siaga did in [start, end). Raises what reading samples raises."""
    return health_of(own_series(samples, start, end), start, end)


def own_series(samples: SampleStore, start: datetime, end: datetime) -> dict[str, Series]:
    """Return name → the figures that siaga kept of itself, of those there are."""
    keys = {name: (OWN, f"siaga_{name}", "") for name in _FIGURES}
    found = samples.read(list(keys.values()), start, end)
    return {name: found[key] for name, key in keys.items() if key in found}


def health_of(series: Mapping[str, Series], start: datetime, end: datetime) -> SelfHealth:
    """Return how siaga did in [start, end) by its figures."""
    late = _values(series, "late_s")
    minutes = len(late)
    whole = max(1.0, (end - start) / _EACH)
    if not minutes:
        return SelfHealth(0, 0.0)
    return SelfHealth(
        minutes=minutes,
        seen_pct=round(min(100.0, minutes * 100 / whole), 3),
        punctual_pct=round(float((late <= LATE_S).mean()) * 100, 3),
        late_p95_s=_rank(late),
        late_max_s=float(late.max()),
        unpolled_max=int(_most(series, "unpolled")),
        waiting_max=int(_most(series, "samples_waiting") + _most(series, "news_waiting")),
        loop_lag_max_s=_most(series, "loop_lag_s"),
        commit_p95_s=_rank(_values(series, "commit_s")),
    )


def _values(series: Mapping[str, Series], name: str) -> "Floats":
    import numpy as np

    one = series.get(name)
    return np.asarray(one.values if one else [], np.float64) / _SCALE


def _most(series: Mapping[str, Series], name: str) -> float:
    values = _values(series, name)
    return float(values.max()) if len(values) else 0.0


def _rank(values: "Floats") -> float:
    """Return the nearest-rank 95th percentile."""
    import numpy as np

    return float(np.sort(values)[max(0, -(-len(values) * 95 // 100) - 1)]) if len(values) else 0.0
