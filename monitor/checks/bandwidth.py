"""Does a connection come near what its contract promises?"""

from collections.abc import Iterator

from monitor.checks import Committed, Finding, Seen

RULE = "bandwidth-near-contract"
WARNING_PCT = 80.0


def observed(seen: Seen) -> bool:
    """Return whether at least one rate is known: a first round has none."""
    return any(rate is not None for pair in seen.rates_bps.values() for rate in pair)


def judge(seen: Seen) -> Iterator[Finding]:
    """Find each interface that carries more than 80 % of the committed rate in either direction."""
    for name, committed in seen.committed.items():
        rates = seen.rates_bps.get(name)
        if rates is not None:
            yield from _over(name, committed, rates)


def _over(name: str, committed: Committed, rates: tuple[float | None, float | None]) -> Iterator[Finding]:
    pairs = (("in", rates[0], committed.down_bps), ("out", rates[1], committed.up_bps))
    for direction, rate, promised in pairs:
        if rate is None or not promised or rate * 100 / promised < WARNING_PCT:
            continue
        text = (
            f"{committed.connection} carries {rate / 1e6:.1f} Mbps {direction} on {name},"
            f" {rate * 100 / promised:.0f} % of the {promised / 1e6:.0f} Mbps of its contract."
        )
        yield Finding(RULE, "warning", text, f"{name} {direction}")
