"""Measures the inventory at the size of a regency and beyond; `python -m bench.inventory` prints markdown tables.

    python -m bench.inventory [--devices 10000] [--grow 50000] [--quick] [--keep DIRECTORY]

An inventory of --devices devices with 28 interfaces each (bench/fleet.py) is imported and asked
(bench/questions.py), inside one process and by whole commands. --grow adds an import of that size, which takes
minutes; --quick is 1,000 devices and one run of each; --keep leaves the files there.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import measure
from bench.fleet import PORTS, Fleet, write_csv, write_xlsx, write_yaml
from bench.questions import questions

SIAGA = (sys.executable, "-P", "-m", "cli")
DEVICES, SMALL = 10_000, 1_000
RUNS = 5


def environment(home: Path) -> dict[str, str]:
    """Return the environment of a command on the inventory in `home`, without this machine's own settings."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SIAGA_")}
    return {**kept, "SIAGA_HOME": str(home), "XDG_CONFIG_HOME": str(home / "none")}


def import_once(home: Path, folder: Path) -> None:
    """Read every file of `folder` and write all in one transaction; print what it took, in a child process."""
    from inventory.database import initialise
    from inventory.history import Author
    from inventory.imports.load import load
    from inventory.imports.reading import read_sheets
    from inventory.store import open_engine
    from siaga.settings import Settings

    settings = Settings(home=home)
    initialise(settings)
    began = time.perf_counter()
    files = sorted(folder.glob("*.csv"))
    sheets = [sheet for f in files for sheet in read_sheets(str(f), f.stem.partition("-")[0])]
    read = time.perf_counter()
    load(open_engine(settings), sheets, Author("bench", datetime.now(UTC)))
    done = time.perf_counter()
    rows = sum(len(s.rows) for s in sheets)
    print(json.dumps({"read_s": read - began, "write_s": done - read, "rows": rows}))


def imported(size: int, folder: Path) -> tuple[list[str], Path]:
    """Import an inventory of `size` devices; return its row of the table of sizes, and its home."""
    home, files = folder / f"home-{size}", folder / f"csv-{size}"
    write_csv(Fleet(size).tables(), files)
    command = (sys.executable, "-P", "-m", "bench.inventory", "--import-once", str(home), str(files))
    spent = measure.child(command, environment(home), keep=True)
    told = json.loads(spent.output)
    row = [
        f"{size:,}",
        f"{told['rows']:,}",
        f"{told['read_s']:.1f}",
        f"{told['write_s']:.1f}",
        f"{spent.wall_s:.1f}",
        f"{spent.cpu_s:.1f}",
        f"{spent.cpu_s / told['rows'] * 1e6:.0f}",
        f"{spent.peak_mb:.0f}",
        f"{(home / 'siaga.db').stat().st_size / 1e6:.0f}",
    ]
    return row, home


def formats(folder: Path) -> Iterator[list[str]]:
    """Import the same devices by the command, from CSV (a file for each noun), YAML and a workbook."""
    tables = Fleet(SMALL).tables()
    sources = {
        "CSV (13 commands)": write_csv(tables, folder / "csv"),
        "YAML": [write_yaml(tables, folder / "all.yaml")],
        "XLSX": [write_xlsx(tables, folder / "all.xlsx")],
    }
    for what, paths in sources.items():
        home = folder / f"home-{what.partition(' ')[0]}"
        measure.child((*SIAGA, "init"), environment(home))
        each = [measure.child((*SIAGA, "import", str(p)), environment(home)) for p in paths]
        cpu_s, wall_s = sum(s.cpu_s for s in each), sum(s.wall_s for s in each)
        yield [what, f"{wall_s:.1f}", f"{cpu_s:.1f}", f"{max(s.peak_mb for s in each):.0f}"]


def answered(home: Path, devices: int, runs: int) -> Iterator[list[str]]:
    """Ask everything, inside a child and by commands, and yield a row for each question."""
    asked = questions(Fleet(devices))
    command = (sys.executable, "-P", "-m", "bench.questions", str(home), str(devices), str(runs))
    within = json.loads(measure.child(command, environment(home), keep=True).output)
    for question, (seconds, count) in zip(asked, within, strict=True):
        row = [
            f"`{question.what}`",
            f"{count:,}",
            f"{seconds:.3f}",
            f"{question.most_s:.1f}" if question.most_s else "",
        ]
        whole = measure.children((*SIAGA, *question.command), environment(home), min(runs, 3))
        yield [*row, f"{whole.wall_s:.2f}", f"{whole.cpu_s:.2f}", f"{whole.peak_mb:.0f}"]


def report(devices: int, grow: Sequence[int], runs: int, folder: Path) -> None:
    """Measure everything and print it as it comes."""
    print(
        f"Load average at the start: {measure.load()}. Medians of {runs} after a warm-up (imports: once).\n"
    )
    sizes, homes = [], {}
    for size in (*sorted({SMALL, devices}), *grow):
        row, homes[size] = imported(size, folder)
        sizes.append(row)
    print("Import of everything from CSV, in one transaction:\n")
    _show(
        ("devices", "rows", "read s", "write s", "whole s", "CPU s", "CPU µs/row", "peak MB", "database MB"),
        sizes,
    )
    print(f"Import of {SMALL:,} devices by `siaga import`:\n")
    _show(("from", "whole s", "CPU s", "peak MB"), list(formats(folder / "formats")))
    print(f"Asked of {devices:,} devices with {devices * PORTS:,} interfaces:\n")
    rows = list(answered(homes[devices], devices, runs))
    _show(("question", "rows", "inside s", "promised s", "whole s", "CPU s", "peak MB"), rows)
    print(f"Load average at the end: {measure.load()}.")


def _show(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    print(measure.table(header, rows), end="\n\n", flush=True)


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.inventory",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--devices", type=int, default=DEVICES)
    parser.add_argument("--grow", type=int, action="append", default=[])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--import-once", nargs=2, type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.import_once:
        import_once(*given.import_once)
        return
    devices, runs = (SMALL, 1) if given.quick else (given.devices, RUNS)
    with tempfile.TemporaryDirectory(prefix="siaga-bench-") as name:
        report(devices, given.grow, runs, given.keep or Path(name))


if __name__ == "__main__":
    main()
