"""What one check of a service brought, as frozen values. A silent or refusing peer is a value too."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from siaga.clock import shown


class Verdict(StrEnum):
    """How a service is: the four of Nagios, and `unknown` is what this side could not find out."""

    ok = "ok"
    warning = "warning"
    critical = "critical"
    unknown = "unknown"

    @property
    def exit_code(self) -> int:
        """The exit code of a Nagios plugin."""
        return list(Verdict).index(self)


_WORST = (Verdict.critical, Verdict.warning, Verdict.unknown, Verdict.ok)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst: critical before warning before unknown; ok of none."""
    return min(verdicts, key=_WORST.index, default=Verdict.ok)


@dataclass(frozen=True)
class Range:
    """A threshold of Nagios: alert outside of low…high, or inside of them. None: without a bound."""

    low: float | None = 0.0
    high: float | None = None
    inside: bool = False

    def __str__(self) -> str:
        """Return it as Nagios writes it."""
        low = "~" if self.low is None else f"{self.low:g}"
        high = "" if self.high is None else f"{self.high:g}"
        plain = high if self.low == 0 and high else f"{low}:{high}"
        return f"@{plain}" if self.inside else plain


@dataclass(frozen=True)
class Reading:
    """One figure of a check. `unit`: s, bytes, percent, count (a counter), or empty. None: not observed."""

    label: str
    value: float | None
    unit: str = ""
    warning: Range | None = None
    critical: Range | None = None
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a service; `rule` is stable, `text` a sentence."""

    rule: str
    verdict: Verdict
    text: str


@dataclass(frozen=True)
class Certificate:
    """What a TLS server showed of itself. `days_left` is negative once it is over.

    `chain`: empty if it leads to an authority that is trusted here, else why it does not.
    """

    subject: str
    names: tuple[str, ...]
    issuer: str
    serial: str
    not_before: datetime
    not_after: datetime
    days_left: float
    chain: str
    name_matches: bool
    self_signed: bool
    protocol: str
    cipher: str
    sha256: str


@dataclass(frozen=True)
class Probed:
    """One service, one check, one time. `took_s` is the wall time of the whole; phases are among the readings.

    `shown`: what it answered, as safe text (DNS records, a banner, a plugin's words).
    """

    name: str
    kind: str
    target: str
    at: datetime
    verdict: Verdict
    reason: str = ""
    took_s: float = 0.0
    faults: tuple[Fault, ...] = ()
    readings: tuple[Reading, ...] = ()
    certificate: Certificate | None = None
    address: str = ""
    status: int | None = None
    shown: tuple[str, ...] = ()

    def reading(self, label: str) -> float | None:
        """Return the figure of that label; None if there is none."""
        return next((r.value for r in self.readings if r.label == label), None)


def as_json(one: Probed) -> dict[str, Any]:
    """Return the result as the stable JSON of `siaga service check`; thresholds as Nagios writes them."""
    row = asdict(one) | {"verdict": one.verdict.value, "at": shown(one.at), "took_s": round(one.took_s, 4)}
    row["faults"] = [asdict(f) | {"verdict": f.verdict.value} for f in one.faults]
    row["readings"] = [
        asdict(r) | {k: None if (t := getattr(r, k)) is None else str(t) for k in ("warning", "critical")}
        for r in one.readings
    ]
    if one.certificate:
        dates = {k: shown(getattr(one.certificate, k)) for k in ("not_before", "not_after")}
        row["certificate"] |= dates | {"days_left": round(one.certificate.days_left, 1)}
    return row
