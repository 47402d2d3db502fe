"""Nagios plugins run for real: every way to end, to flood, to hang and to lie; and the figures they print."""

import asyncio
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.probes.perfdata import figures, parsed, threshold, written
from monitor.probes.plan import Limits, NoCheck, PluginCheck, Service, planned
from monitor.probes.result import Probed, Range, Reading, Verdict
from monitor.probes.run import probe
from siaga.settings import Plugin
from tests.cli_runner import until
from tests.monitor.web_servers import NOW


def run(folder: Path, script: str, *arguments: str, timeout_s: float = 5.0, **more: Any) -> Probed:
    """Write a plugin in sh and check with it."""
    path = folder / "check_it"
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(0o755)
    check = PluginCheck("svc", (str(path), *arguments), timeout_s=timeout_s, title="it", **more)
    return asyncio.run(probe(check, Limits(), now=NOW))


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (0, "ok"),
        (1, "warning"),
        (2, "critical"),
        (3, "unknown"),
        (4, "unknown"),
        (137, "unknown"),
        (255, "unknown"),
    ],
)
def test_exit_codes(tmp_path: Path, code: int, verdict: str) -> None:
    seen = run(tmp_path, f"echo 'IT IS SO | t=1.5s;2;3'; exit {code}")
    assert seen.verdict == verdict
    assert seen.readings[0] == Reading("t", 1.5, "s", Range(0, 2), Range(0, 3))
    assert ("IT IS SO" in seen.reason) == (code != 0)


def test_a_plugin_that_is_killed_is_unknown(tmp_path: Path) -> None:
    seen = run(tmp_path, "echo fine; kill -9 $$")
    assert (seen.verdict, "SIGKILL" in seen.reason) == (Verdict.unknown, True)


def test_a_plugin_that_hangs_ends_with_its_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    seen = run(
        tmp_path, f"sleep 300 & echo $! >{pids}; trap '' TERM; echo $$ >>{pids}; sleep 300", timeout_s=0.5
    )
    assert seen.verdict is Verdict.unknown
    assert "did not end within 0.5 s" in seen.reason
    for pid in map(int, pids.read_text().split()):
        until(lambda pid=pid: gone(pid), f"process {pid} lives on")  # type: ignore[misc]


def gone(pid: int) -> bool:
    """Return whether a process has ended, be it that nobody has waited for it yet."""
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_what_a_plugin_leaves_behind_is_ended(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    seen = run(tmp_path, f"sleep 300 >/dev/null 2>&1 & echo $! >{pids}; echo done")
    assert seen.verdict is Verdict.ok
    until(lambda: gone(int(pids.read_text())), "the child lives on")


def test_a_flood_is_ended_and_a_long_listing_is_cut(tmp_path: Path) -> None:
    seen = run(tmp_path, "exec yes x")
    assert (seen.verdict, "MiB" in seen.reason) == (Verdict.unknown, True)
    seen = run(tmp_path, "echo LONG; head -c 300000 /dev/zero | tr '\\0' y; exit 1")
    assert (seen.verdict, seen.reason) == (Verdict.warning, "LONG")
    assert sum(map(len, seen.shown)) < 5000


def test_escapes_are_made_safe(tmp_path: Path) -> None:
    seen = run(tmp_path, r"printf '\033[2J[/red]\r\a OK\nline\033]0;t\007\n'; exit 2")
    assert all(t.isprintable() for t in (seen.reason, *seen.shown))
    assert "[/red]" in seen.reason


def test_a_plugin_that_says_nothing(tmp_path: Path) -> None:
    seen = run(tmp_path, "echo oops >&2; exit 0")
    assert (seen.verdict, "oops" in seen.reason) == (Verdict.unknown, True)


def test_no_shell_and_an_environment_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIAGA_TEST_CANARY", "secret-canary")
    seen = run(
        tmp_path,
        'echo "$1 $# $(env | sort | tr "\\n" " ")"; cat',
        "$(touch x); `id` & | ' \" *",
        environment=(("EXTRA", "1"),),
    )
    assert seen.shown[0].startswith("$(touch x); `id` &")
    seen = run(tmp_path, "env | cut -d= -f1 | sort | tr '\\n' ' '", environment=(("EXTRA", "1"),))
    assert set(seen.shown[0].split()) - {"_", "PWD", "SHLVL", "OLDPWD"} == {"EXTRA", "LANG", "PATH"}
    assert not Path("/x").exists()


@pytest.mark.parametrize("path", ["/nonexistent/check", "/etc/passwd", "/etc"])
def test_what_cannot_be_run(path: str) -> None:
    seen = asyncio.run(probe(PluginCheck("svc", (path,)), Limits(), now=NOW))
    assert (seen.verdict, "cannot be run" in seen.reason) == (Verdict.unknown, True)


def test_nothing_is_left_open(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for script in ("echo ok", "exec sleep 300", "exec yes"):
        run(tmp_path, script, timeout_s=0.2)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


PLUGINS = {"ssh": Plugin(run=("/usr/lib/nagios/plugins/check_ssh", "-p", "{port}", "{address}"))}


def test_a_services_values_fill_the_arguments() -> None:
    found = planned(Service("s", address="10.1.1.1", port=22, plugin="ssh"), PLUGINS)
    assert isinstance(found, PluginCheck)
    assert found.arguments == ("/usr/lib/nagios/plugins/check_ssh", "-p", "22", "10.1.1.1")


@pytest.mark.parametrize(
    "service",
    [
        Service("s", address="--help", port=22, plugin="ssh"),
        Service("s", address="10.1.1.1\n-x", port=22, plugin="ssh"),
        Service("s", address="10.1.1.1", plugin="ssh"),
        Service("s", plugin="other"),
    ],
)
def test_values_that_would_be_options_are_refused(service: Service) -> None:
    assert isinstance(planned(service, PLUGINS), NoCheck)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a=1", [Reading("a", 1.0)]),
        ("'free space'=12MB;5:;@1:3;0;100", [Reading("free space", 12 * 2**20, "bytes",
            Range(5 * 2**20, None), Range(2**20, 3 * 2**20, True), 0.0, 100 * 2**20)]),
        ("'it''s'=5%;~:80", [Reading("it's", 5.0, "percent", Range(None, 80))]),
        ("rta=1.5ms pl=0%", [Reading("rta", 0.0015, "s"), Reading("pl", 0.0, "percent")]),
        ("in=123c", [Reading("in", 123.0, "count")]),
        ("gone=U", [Reading("gone", None)]),
        ("t=-3.5C;;;;", [Reading("t", -3.5, "C")]),
        ("junk a=1 more b=2", [Reading("a", 1.0), Reading("b", 2.0)]),
        ("a=1e400", [Reading("a", None)]),
        ("'open=1 a==2 =3", []),
        ("", []),
    ],
)  # fmt: skip
def test_figures(text: str, found: list[Reading]) -> None:
    assert list(figures(text)) == found


def test_figures_after_the_further_lines() -> None:
    text, lines, readings = parsed("OK | a=1\nline 1\nline 2 | b=2\nc=3")
    assert (text, lines, [r.label for r in readings]) == ("OK", ("line 1", "line 2"), ["a", "b", "c"])


@pytest.mark.parametrize(
    ("text", "found"),
    [("10", Range(0, 10)), ("10:", Range(10, None)), ("~:10", Range(None, 10)), ("10:20", Range(10, 20)),
     ("@10:20", Range(10, 20, True)), ("", None), (":", None), ("x", None), ("1:2:3", None)],
)  # fmt: skip
def test_thresholds(text: str, found: Range | None) -> None:
    assert threshold(text) == found
    if found:
        assert threshold(str(found)) == found


@given(st.text(max_size=300))
def test_whatever_a_plugin_prints_is_safe_and_bounded(output: str) -> None:
    text, lines, readings = parsed(output)
    assert all(t.isprintable() for t in (text, *lines, *(r.label for r in readings)))
    assert all(r.value is None or math.isfinite(r.value) for r in readings)


@given(
    st.lists(
        st.tuples(
            st.text(
                st.characters(categories=["L", "N", "P"], exclude_characters="=|"), min_size=1, max_size=20
            ),
            st.floats(allow_nan=False, allow_infinity=False, width=32),
        ),
        max_size=5,
    )
)
def test_what_is_written_is_read_back(pairs: list[tuple[str, float]]) -> None:
    given_ = [Reading(label, value, "s") for label, value in pairs]
    back = list(figures(written(iter(given_))))
    assert [r.label for r in back] == [r.label for r in given_]
    for one, two in zip(given_, back, strict=True):
        assert math.isclose(one.value or 0, two.value or 0, rel_tol=1e-8)
