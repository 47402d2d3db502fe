"""What a command line says wherever it runs: any argument, any terminal."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli_runner import Siaga, runner

ROOT = Path(__file__).parents[2]


@pytest.fixture
def siaga(capsys: pytest.CaptureFixture[str], scrubbed: Path) -> Siaga:
    said = runner(capsys)
    said("init").well()
    return said


@pytest.mark.parametrize(
    "arguments",
    [
        ("device", "show", "bad\udcff"),
        ("device", "list", "bad\udcff"),
        ("device", "list", "serial=bad\udcff"),
        ("device", "history", "bad\udcff"),
        ("device", "add", "rtr-1", "--why", "bad\udcff"),
    ],
    ids=repr,
)
def test_an_argument_that_is_no_text_is_a_mistake_of_the_user(
    siaga: Siaga, arguments: tuple[str, ...]
) -> None:
    said = siaga(*arguments)
    assert said.code in (2, 3), said
    assert "internal" not in said.err


POSIX = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize("environment", [{"PYTHONIOENCODING": "ascii"}, POSIX], ids=["ascii", "posix"])
def test_a_terminal_without_utf_8_gets_escapes(
    siaga: Siaga, scrubbed: Path, environment: dict[str, str]
) -> None:
    siaga("place", "add", "Café", "kind=site").well()
    command = [sys.executable, "-c", "import cli; cli.main()", "place", "list", "-o", "name"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={"SIAGA_HOME": str(scrubbed), "HOME": str(scrubbed), **environment},
        capture_output=True,
    )
    assert (done.returncode, done.stdout) == (0, b"Caf\\xe9\n"), done.stderr


@pytest.mark.parametrize(
    "wrong", [("--bogus",), ("--max-age", "0"), ("--jitter", "x"), ("role=rouster",)], ids=repr
)
def test_a_slip_on_nagios_command_line_is_unknown_and_not_critical(
    siaga: Siaga, wrong: tuple[str, ...]
) -> None:
    said = siaga("check", "--nagios", *wrong)
    assert said.code == 3
    assert said.out.startswith("SIAGA UNKNOWN - ")
    assert said.out.count("\n") == 1
    assert "|" not in said.out


def test_what_an_error_quotes_is_bounded(siaga: Siaga) -> None:
    for arguments in (
        ("device", "show", "x" * 100_000),
        ("device", "list", "x" * 3900),
        ("device", "add", "x" * 100_000),
    ):
        said = siaga(*arguments)
        assert said.code in (2, 3, 5)
        assert len(said.err) < 700, said.err


def test_a_slip_in_a_selector_is_shown_where_it_is(siaga: Siaga) -> None:
    said = siaga("device", "list", "role=router rol=x")
    first, text, mark = said.err.splitlines()
    assert first == "siaga: bad-selector: In the selector, a device has no field 'rol'; did you mean 'role'?"
    assert text[mark.index("^") :] == "rol=x"
    assert siaga("device", "rm", "", "--yes").failed(2, "empty-selector") == []
    assert siaga("device", "list", "").failed(2, "empty-selector") == []
    assert siaga("device", "list", "foo").failed(3, "nothing-selected") == []
