"""An office moves, as docs/office-move.md tells it: its commands in its order print what it says they print."""

import re
import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from pypdf import PdfReader

from siaga.clock import shown, utc_now
from tests.cli_runner import Siaga, runner
from tests.homes import fresh

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "office-move.md").read_text()


@dataclass(frozen=True)
class Step:
    """One command of the page, and the lines that must be printed, in this order."""

    command: tuple[str, ...]
    lines: tuple[str, ...]


def steps() -> Iterator[Step]:
    yield from steps_of(PAGE)


def steps_of(page: str) -> Iterator[Step]:
    """Yield the commands of a page, or of a part of one."""
    for block in re.findall(r"```console\n(.*?)```", page, re.S):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            first, *lines = part.splitlines()
            program, *arguments = shlex.split(first)
            assert program == "siaga", first
            yield Step(tuple(arguments), tuple(filter(str.strip, lines)))


def held(step: Step, printed: str) -> None:
    """Hold that the lines are there in this order; … stands for anything."""
    at = 0
    for line in step.lines:
        pattern = re.compile(".*".join(map(re.escape, line.split("…"))))
        found = pattern.search(printed, at)
        assert found, f"{' '.join(step.command)}: {line!r} is not in\n{printed}"
        at = found.end()


@pytest.fixture
def siaga(
    scrubbed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Siaga:
    monkeypatch.chdir(tmp_path)
    (start,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
    (tmp_path / "kantor.yaml").write_text(start)
    run = runner(capsys)
    fresh(scrubbed)
    return run


def test_the_move_is_as_it_is_told(siaga: Siaga, scrubbed: Path, tmp_path: Path) -> None:
    followed = list(steps())
    assert len(followed) > 20
    for step in followed:
        said = siaga(*step.command).well()
        held(step, said.err + said.out)

    number = f"001/BAST/DISKOMINFO/{_roman(int(shown(utc_now())[5:7]))}/{shown(utc_now())[:4]}"
    text = " ".join(page.extract_text() for page in PdfReader(tmp_path / "bast.pdf").pages)
    text = text.replace("\u200b", "")  # where a long word may be broken
    for printed in (
        number,
        "Ani Wulandari",
        "Budi Santoso",
        "Citra Lesmana",
        "198502022010011002",
        "HE9080WQ007",
    ):
        assert printed in text, printed
    assert siaga("device", "list", "status=retired", "-o", "name").well().out == ""

    with closing(sqlite3.connect(scrubbed / "siaga.db")) as plain:
        plain.execute("UPDATE change SET who = 'nobody' WHERE id = 40")
        plain.commit()
    (problem,) = siaga("history", "verify").failed(6, "history-broken")
    assert "Entry 40" in problem


def _roman(month: int) -> str:
    return ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"][month - 1]
