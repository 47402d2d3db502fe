"""What devices say of themselves by SNMP reaches terminal, JSON, YAML and CSV as text alone."""

import csv
import io
import json
import unicodedata
from pathlib import Path

import pytest

from tests.cli_runner import Siaga, answering, runner
from tests.homes import fresh
from tests.monitor.agent import OCTETS, Oid, Script, Tagged, switch

PAYLOADS = (
    "\x1b[2J\x1b[1;31mred", "\x1b]0;title\x07", "\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\", "\x9b31mC1",
    "a\r\nERROR forged line", "nul\0inside", "bell\x07 back\x08\x08", "\u202egnp.exe", "zero\u200bwidth\ufeff",
    "[/foo]", "[link=http://evil.example]x[/link]", "[bold red]x", "[", "=1+1", "=HYPERLINK(\"http://evil\")",
    "+1+1",
    "-1+1|cmd", "@SUM(1)", "\t=1+1", "\r=1+1", "'=1+1", "{{ 7*7 }}", "${7*7}", "{% raw %}", "%s%n",
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>", "'; DROP TABLE device; --", "$(touch x)", "`id`", "a;b\"c,d", "x" * 4000,
    "\ud7ff\U000e0001tag",
    "\u2028line", "\x85next", "..//../etc/passwd",
)  # fmt: skip
IF, IF_X, SYSTEM = (1, 3, 6, 1, 2, 1, 2, 2, 1), (1, 3, 6, 1, 2, 1, 31, 1, 1, 1), (1, 3, 6, 1, 2, 1, 1)
LLDP = (1, 0, 8802, 1, 1, 2, 1, 4, 1, 1)
ENTITY = (1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1)
STORAGE = (1, 3, 6, 1, 2, 1, 25, 2, 3, 1)


def _octets(text: str) -> Tagged:
    return OCTETS, text.encode("utf-8", "surrogatepass")


def rows_of(turn: int) -> dict[Oid, Tagged]:
    """Return a device that says a payload wherever it can; `turn` says which where there is but one place."""
    rows = switch(len(PAYLOADS))
    for at, payload in enumerate(PAYLOADS, start=1):
        text = _octets(payload)
        rows |= {(*IF, 2, at): text, (*IF_X, 1, at): text, (*IF_X, 18, at): text}
        rows |= {(*LLDP, column, 0, at, 1): text for column in (5, 7, 8, 9, 10)}
        rows |= {(*LLDP, column, 0, at, 1): (2, 7) for column in (4, 6)}
        rows |= {(*ENTITY, column, at): text for column in (2, 7, 10, 11, 13)} | {(*ENTITY, 5, at): (2, 3)}
        rows |= {(*STORAGE, 3, at): text, (*STORAGE, 2, at): (6, (1, 3, 6, 1, 2, 1, 25, 2, 1, 4))}
        rows |= {(*STORAGE, 4, at): (2, 1024), (*STORAGE, 5, at): (2, 1000), (*STORAGE, 6, at): (2, 10)}
    one = _octets(PAYLOADS[turn % len(PAYLOADS)])
    return rows | {(*SYSTEM, place, 0): one for place in (1, 4, 5, 6)}


def shows_text_alone(said: str) -> None:
    """Hold that no character of what was printed does anything but be seen."""
    odd = {c for c in said if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")}
    assert not odd, (odd, said[:300])


def strings(value: object) -> list[str]:
    """Return every text in a JSON value, names of fields too."""
    if isinstance(value, dict):
        return [s for k, v in value.items() for s in (k, *strings(v))]
    if isinstance(value, list):
        return [s for v in value for s in strings(v)]
    return [value] if isinstance(value, str) else []


@pytest.fixture
def siaga(capsys: pytest.CaptureFixture[str]) -> Siaga:
    """What runs a command line."""
    return runner(capsys)


@pytest.mark.parametrize("turn", [0, 3, 4, 9, 13, 20, 32])
def test_a_device_s_words_are_text_in_what_inspect_prints(turn: int, siaga: Siaga) -> None:
    with answering(Script(rows_of(turn)).answer) as port:
        human = siaga("inspect", f"127.0.0.1:{port}")
        machine = siaga("inspect", f"127.0.0.1:{port}", "-o", "json")
    for said in (human, machine):
        assert said.code == 0, said
        shows_text_alone(said.out)
        shows_text_alone(said.err)
    seen = json.loads(machine.out)
    assert len(seen["ports"]) == len(PAYLOADS)
    for text in strings(seen):
        shows_text_alone(text)
        assert len(text) <= 300


def test_a_device_s_words_are_text_in_all_that_is_kept_of_it(
    siaga: Siaga, monkeypatch: pytest.MonkeyPatch, scrubbed: Path
) -> None:
    monkeypatch.setenv("T_COMMUNITY", "public")
    fresh(scrubbed)
    siaga("credential", "add", "noc", "kind=snmp-v2c", "--secret", "community=env:T_COMMUNITY").well()
    with answering(Script(rows_of(1)).answer) as port:
        siaga("device", "add", "sw", "address=127.0.0.1", f"snmp_port={port}", "credential=noc").well()
        polls = siaga("poll"), siaga("poll", "-o", "json")
    commands = (
        ("status",),
        ("device", "show", "sw"),
        ("device", "list"),
        ("interface", "list"),
        ("history", "list"),
    )
    shown: dict[str, list[str]] = {}
    for said in polls:
        shows_text_alone(said.out + said.err)
    for command in commands:
        for form in ("table", "json", "yaml", "csv"):
            said = siaga(*command, "-o", form)
            assert said.code in (0, 2), said
            assert "Traceback" not in said.err
            shows_text_alone((said.out + said.err).replace("\r\n", "\n"))
            if form == "csv" and not said.code:
                shown.setdefault(command[0], []).append(said.out)
                cells = [cell for row in csv.reader(io.StringIO(said.out)) for cell in row]
                assert not [c for c in cells if c[:1] in ("=", "+", "@", "\t", "\r") or c[:2] == "-1"], (
                    command
                )
    assert (
        sum(word in shown["interface"][0] for word in ("[/foo]", "'=1+1", "<script>", "ERROR forged line"))
        == 4
    )
    assert "HYPERLINK" in shown["device"][0] + shown["interface"][0]
