"""Two looks are compared; what was not seen before proves nothing, and silence is not health."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from infra.frontmatter import CHECKS
from infra.verdict import compared, not_ready


@dataclass(frozen=True)
class Seen:
    state: str
    reason: str = ""
    neighbours: frozenset[str] | None = None


@dataclass(frozen=True)
class Look:
    devices: Mapping[str, Seen] = field(default_factory=dict)
    services: Mapping[str, Seen] = field(default_factory=dict)


UP, DOWN = Seen("up"), Seen("down", "no reply")
HEARS = Seen("up", "", frozenset({"ether1 sw", "ether2 core"}))
HEARS_LESS = Seen("up", "", frozenset({"ether2 core"}))

CASES = {
    "as before": (
        Look({"r": UP, "sw": UP}, {"web": UP}),
        Look({"r": UP, "sw": UP}, {"web": UP}),
        "as before",
    ),
    "it fell": (Look({"r": UP}), Look({"r": DOWN}), "r was up and is down (no reply)"),
    "it went out of sight": (Look({"r": UP}), Look(), "r was up and is not observed"),
    "it no longer lets us in": (Look({"r": UP}), Look({"r": Seen("refused")}), "r was up and is refused"),
    "never seen": (Look(), Look(), "not observed: r"),
    "it was down already": (Look({"r": DOWN}), Look({"r": DOWN}), "not observed: r"),
    "it came up": (Look({"r": DOWN}), Look({"r": UP}), "not observed: r"),
    "what is beside it fell": (
        Look({"r": UP, "sw": UP}),
        Look({"r": UP, "sw": DOWN}),
        "sw was up and is down (no reply)",
    ),
    "a service fell": (
        Look({"r": UP}, {"web": UP}),
        Look({"r": UP}, {"web": DOWN}),
        "service web was up and is down (no reply)",
    ),
    "a neighbour is gone": (Look({"r": HEARS}), Look({"r": HEARS_LESS}), "it no longer hears ether1 sw"),
    "a neighbour came": (Look({"r": HEARS_LESS}), Look({"r": HEARS}), "as before"),
    "it tells of no neighbours now": (Look({"r": HEARS}), Look({"r": UP}), "as before"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_worse_is_said_and_nothing_else(case: str) -> None:
    before, after, said = CASES[case]
    verdict = compared("r", ["sw"], ["web"], before, after, CHECKS)
    assert str(verdict) == said
    assert verdict.good == (said == "as before" or said.startswith("not observed"))


def test_only_what_the_play_asks_for_is_compared() -> None:
    before, after = Look({"r": UP, "sw": UP}, {"web": UP}), Look({"r": DOWN, "sw": DOWN}, {"web": DOWN})
    assert compared("r", ["sw"], ["web"], before, after, ()).worse == ()
    assert compared("r", ["sw"], ["web"], before, after, ("services",)).worse == (
        "service web was up and is down (no reply)",
    )


def test_a_host_that_is_down_is_not_touched_where_the_play_says_so() -> None:
    assert not_ready("r", Look({"r": DOWN}), ("reachable",)) == "the monitor finds it down: no reply"
    assert not_ready("r", Look({"r": DOWN}), ()) == ""
    assert not_ready("r", Look(), ("reachable",)) == "", "nobody has looked: nothing speaks against it"
