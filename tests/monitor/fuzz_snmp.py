"""Coverage-guided fuzzing of the SNMP parsers.

`pip install atheris`, then `python tests/monitor/fuzz_snmp.py EMPTY_FOLDER -max_len=1500 -runs=1000000`.
Not a test that CI runs: atheris has wheels for few machines. What it may find becomes a case of test_ber.py. Held here:
the quick parsers never differ from the reference, and v1, v2c and v3 messages raise nothing but what a datagram is.
"""

import random
import sys
from pathlib import Path

import atheris  # type: ignore[import-not-found]  # installed by who fuzzes

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

with atheris.instrument_imports(
    include=["monitor.ber", "monitor.usm", "monitor.snmp_message", "monitor.windows", "monitor.lean_round"]
):
    import hostile

    from monitor import ber, usm
    from monitor.snmp_message import Community, Stale
    from monitor.targets import SnmpAuth, SnmpVersion
    from monitor.windows import HAS_C, Layout, Values

LAYOUT = Layout(tuple(map(ber.arcs, hostile.COLUMNS)), tuple(map(ber.subids, hostile.INDEXES)))
QUICK = [Layout.by_pattern, Layout.by_c] if HAS_C else [Layout.by_pattern]
IDENT, ENGINE_ID = b"\x11\x22\x33\x44", bytes.fromhex("80001f8804736961676174657374")
V1, V2C = Community(0, b"public"), Community(1, b"public")
USER = usm.user(SnmpAuth(SnmpVersion.v3, user="siaga"))
GOOD = hostile.window(random.Random(1), odd=False)
LAYOUT.learn(GOOD, 0, len(GOOD), anything=True)
SOME = Layout(LAYOUT.columns, LAYOUT.indexes)  # by the pattern of the kinds that GOOD has
SOME.learn(GOOD, 0, len(GOOD))
SPECIAL = Layout(LAYOUT.columns, LAYOUT.indexes)  # and of the indexes
SPECIAL.learn(GOOD, 0, len(GOOD))
SPECIAL.specialise()
SIGHT = hostile.by_sight(V2C, IDENT)


def one(data: bytes) -> None:
    """Read the octets as a window, and as a message of each version."""
    try:
        expected = LAYOUT.by_reference(data, 0, len(data))
    except ber.Malformed:
        expected = None
    found_by_all = [hostile.read(quick, LAYOUT, data, 0, len(data)) for quick in QUICK]
    found_by_all += [
        hostile.read(Layout.by_pattern, layout, data, 0, len(data)) for layout in (SOME, SPECIAL)
    ]
    for found in found_by_all:
        assert found is None or found == expected, data.hex()
    for layout in (SOME, SPECIAL):
        taken(data, hostile.read(SIGHT, layout, data, 0, len(data)))
    if HAS_C:
        taken(data, hostile.read(message, LAYOUT, data, 0, len(data)))
    engine = usm.Engine(USER)
    engine.meet(ENGINE_ID, 1, 1, 0.0)
    for voice in (V1, V2C, engine):
        try:
            opened, _, _, start, end = voice.open(data, IDENT, 0.0)
            ber.varbinds(opened, start, end)
        except (ber.Malformed, Stale, usm.Reported):
            continue


def message(layout: Layout, data: bytes, _start: int, _end: int, values: Values, first: int) -> int | None:
    """Read the octets as a message that the C parser takes as it came."""
    ticks: int | None = layout.compiled.message(data, V2C.lead, IDENT, values, first)
    return ticks


def taken(data: bytes, found: Values | None) -> None:
    """Hold that the reference takes what was taken as a whole message, with the same values."""
    if found is not None:
        opened, status, index, start, end = Community(1, b"public").open(data, IDENT)
        assert (status, index) == (0, 0), data.hex()
        assert LAYOUT.by_reference(opened, start, end) == found, data.hex()


def seeds(folder: Path) -> None:
    """Write good and odd messages to begin with."""
    dice = random.Random(2)
    stream = hostile.messages(dice, IDENT, ENGINE_ID)
    for number in range(200):
        data = hostile.window(dice, odd=number % 2 == 1) if number % 3 else next(stream)[1]
        (folder / str(number)).write_bytes(data)


if __name__ == "__main__":
    corpus = Path(sys.argv[1]) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else None
    if corpus is not None and corpus.is_dir() and not any(corpus.iterdir()):
        seeds(corpus)
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
