"""What clients told, made into medians, ratios and tables: pure functions, no process is started here."""

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

from bench import measure


@dataclass(frozen=True)
class Outcome:
    """What one run of a client told in its JSON line; `failed` are polls without the whole of their varbinds."""

    client: str
    version: str
    parser: str
    ok: int
    failed: int
    varbinds: int
    wall_s: float
    cpu_s: float
    rss_kb: int
    false_down: int | None = None  # live devices of which nothing came, where a client tells
    lag_max_s: float = 0.0

    @property
    def devices_per_cpu_s(self) -> float:
        """How many devices were polled whole in one second of the client's processor time."""
        return self.ok / self.cpu_s if self.cpu_s else 0.0


def read_outcome(text: str) -> Outcome:
    """Return the outcome in the last line of a client's output that is JSON; raises ValueError without one."""
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            told = json.loads(line)
            break
    else:
        raise ValueError("the client printed no line of JSON")
    known = {f.name for f in fields(Outcome)}
    try:
        return Outcome(**{k: v for k, v in told.items() if k in known and v is not None})
    except TypeError as error:
        raise ValueError(f"the client's JSON is not whole: {error}") from error


@dataclass(frozen=True)
class Rate:
    """One client over all repetitions: devices per CPU second, and what else its runs had in common."""

    median: float
    lowest: float
    highest: float
    varbinds_per_cpu_s: float
    failed: int
    rss_mb: float
    busy_percent: float  # 100: the client never waited for the responder


def rate(outcomes: Sequence[Outcome]) -> Rate:
    """Return the medians of a client's runs; at least one is needed."""
    each = [o.devices_per_cpu_s for o in outcomes]
    return Rate(
        statistics.median(each),
        min(each),
        max(each),
        statistics.median(o.varbinds / o.cpu_s if o.cpu_s else 0.0 for o in outcomes),
        sum(o.failed for o in outcomes),
        max(o.rss_kb for o in outcomes) / 1024,
        statistics.median(100 * o.cpu_s / o.wall_s if o.wall_s else 0.0 for o in outcomes),
    )


def ratio(rates: Mapping[str, Rate], client: str, peer: str) -> float | None:
    """Return how many times as many devices a client polls as its peer; None when one of them did not run."""
    if client not in rates or peer not in rates or not rates[peer].median:
        return None
    return rates[client].median / rates[peer].median


EXPORTER, NETSNMP, PURE, COMPILED = "snmp_exporter", "net-snmp C", "siaga", "siaga, C parser"
PROCESSES = "snmpbulkwalk processes"


def rate_table(rates: Mapping[str, Rate]) -> str:
    """Return the clients of one SNMP version as markdown, the fastest first."""
    rows = [
        [
            client,
            f"{r.median:,.0f}",
            f"{r.lowest:,.0f}–{r.highest:,.0f}",
            f"{r.varbinds_per_cpu_s:,.0f}",
            _times(ratio(rates, client, EXPORTER)),
            _times(ratio(rates, client, NETSNMP)),
            f"{r.busy_percent:.0f}",
            f"{r.rss_mb:.0f}",
            f"{r.failed}",
        ]
        for client, r in sorted(rates.items(), key=lambda item: -item[1].median)
    ]
    header = (
        "client",
        "devices/CPU s",
        "lowest–highest",
        "varbinds/CPU s",
        "× exporter",
        "× net-snmp C",
        "busy %",
        "MB",
        "failed",
    )
    return measure.table(header, rows)


def _times(value: float | None) -> str:
    if value is None:
        return ""
    if value < 1:
        return f"{value:.2g}"
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


@dataclass(frozen=True)
class Goal:
    """A figure that was promised, and what was measured; None where the run could not tell."""

    what: str
    promised: float
    measured: float | None
    at_most: bool = False

    @property
    def holds(self) -> bool | None:
        """Whether the promise is kept; None when nothing was measured."""
        if self.measured is None:
            return None
        return self.measured <= self.promised if self.at_most else self.measured >= self.promised


# Version, client, devices per CPU second, times snmp_exporter, times net-snmp's library (0: not promised).
_PROMISED = (
    ("2c", PURE, 10_000, 15, 0),
    ("2c", COMPILED, 16_000, 0, 1.3),
    ("3", PURE, 5_000, 9, 1.3),
)


def rate_goals(version: str, rates: Mapping[str, Rate]) -> list[Goal]:
    """Return what was promised of the rates of one version, beside what was measured."""
    goals = []
    for promised_version, client, devices, exporter, netsnmp in _PROMISED:
        if promised_version != version:
            continue
        name = f"v{version} {client}"
        goals.append(
            Goal(f"{name}: devices/CPU s", devices, rates[client].median if client in rates else None)
        )
        if exporter:
            goals.append(Goal(f"{name}: × snmp_exporter", exporter, ratio(rates, client, EXPORTER)))
        if netsnmp:
            goals.append(Goal(f"{name}: × net-snmp C", netsnmp, ratio(rates, client, NETSNMP)))
    return goals


@dataclass(frozen=True)
class Round:
    """A counted round of a scenario: `cut_short` are polls of which a part came, `false_down` those without any.

    A client that does not tell them apart has all of them as false outages.
    """

    outcome: Outcome
    false_down: int
    cut_short: int


def round_of(outcome: Outcome, silent: int) -> Round:
    """Return how a round went in which so many devices never answer."""
    missed = max(0, outcome.failed - silent)
    false_down = missed if outcome.false_down is None else outcome.false_down
    return Round(outcome, false_down, max(0, missed - false_down))


def steady_goals(version: str, client: str, seen: Round) -> list[Goal]:
    """Return what was promised of a steady round of 5,000 devices."""
    name = f"v{version} {client}, steady round"
    cpu_s = 0.5 if version == "2c" else 1.0
    return [
        Goal(f"{name}: wall s", 3.0, seen.outcome.wall_s, at_most=True),
        Goal(f"{name}: CPU s", cpu_s, seen.outcome.cpu_s, at_most=True),
        Goal(f"{name}: MB", 120, seen.outcome.rss_kb / 1024, at_most=True),
        Goal(f"{name}: false outages", 0, seen.false_down, at_most=True),
    ]


def loss_goals(version: str, client: str, seen: Round) -> list[Goal]:
    """Return what was promised of a round in which one datagram in a hundred is lost each way."""
    return [Goal(f"v{version} {client}, 1 % loss: false outages", 0, seen.false_down, at_most=True)]


def forged_goals(taken: Mapping[str, int]) -> list[Goal]:
    """Return what was promised of replies that are signed wrongly: none is believed."""
    ours = [name for name in (PURE, COMPILED) if name in taken]
    return [Goal(f"v3 {name}: forged replies believed", 0, taken[name], at_most=True) for name in ours]


def forged_table(taken: Mapping[str, int], devices: int) -> str:
    """Return as markdown how many devices' forged replies each client took for good."""
    rows = [[name, f"{count} of {devices}"] for name, count in taken.items()]
    return measure.table(("client", "forged polls believed"), rows)


def goal_table(goals: Iterable[Goal]) -> str:
    """Return the goals as markdown."""
    words = {True: "yes", False: "NO", None: "not measured"}
    rows = [
        [
            goal.what,
            f"{'≤' if goal.at_most else '≥'} {goal.promised:,g}",
            "" if goal.measured is None else _figure(goal.measured),
            words[goal.holds],
        ]
        for goal in goals
    ]
    return measure.table(("goal", "promised", "measured", "holds"), rows)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"


def round_table(seen: Sequence[tuple[str, Round]]) -> str:
    """Return the rounds of a scenario as markdown: label and outcome of each."""
    rows = [
        [
            label,
            f"{r.outcome.ok:,}",
            f"{r.outcome.failed:,}",
            f"{r.cut_short:,}",
            f"{r.false_down:,}",
            f"{r.outcome.wall_s:.2f}",
            f"{r.outcome.cpu_s:.2f}",
            f"{r.outcome.rss_kb / 1024:.0f}",
            f"{r.outcome.lag_max_s * 1000:.0f}" if r.outcome.lag_max_s else "",
        ]
        for label, r in seen
    ]
    header = ("client", "whole", "failed", "cut short", "false outages", "wall s", "CPU s", "MB", "lag ms")
    return measure.table(header, rows)
