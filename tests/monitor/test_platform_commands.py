"""A make that nobody here has seen is recorded, drafted, tried, and read from then on."""

import asyncio
import json
import sys
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from agent import INTEGER, OCTETS, OID, TICKS, Oid, Script, Tagged, switch
from hypothesis import given
from hypothesis import strategies as st

from inventory.platform_format import Platform
from inventory.platforms import platforms
from monitor.draft import draft
from monitor.identify import identify
from monitor.masking import masked
from monitor.private_places import DROPPED
from monitor.recording import RecordedAgent, lines, load
from monitor.snmp_read import read
from monitor.tables import IpAddress, Tables, Value, oid
from siaga.errors import InvalidError

sys.path.insert(0, str(Path(__file__).parent.parent))
from cli_runner import Siaga, answering, closed_port, runner

ACME: dict[Oid, Tagged] = {
    (1, 3, 6, 1, 2, 1, 1, 1, 0): (OCTETS, b"Acme Genset Controller 3"),
    (1, 3, 6, 1, 2, 1, 1, 2, 0): (OID, (1, 3, 6, 1, 4, 1, 64999, 7, 3)),
    (1, 3, 6, 1, 2, 1, 1, 3, 0): (TICKS, 4711),
    (1, 3, 6, 1, 2, 1, 1, 4, 0): (OCTETS, b"budi@tangerangkab.example"),
    (1, 3, 6, 1, 2, 1, 1, 5, 0): (OCTETS, b"genset-balaraja"),
    (1, 3, 6, 1, 4, 1, 64999, 7, 1, 1, 0): (INTEGER, 81),
    (1, 3, 6, 1, 4, 1, 64999, 7, 1, 2, 0): (OCTETS, b"v3.1 genset-balaraja community=rahasia"),
    (1, 3, 6, 1, 4, 1, 64999, 7, 2, 1, 2, 1): (INTEGER, 2301),
    (1, 3, 6, 1, 4, 1, 64999, 7, 2, 1, 2, 2): (INTEGER, 2298),
    (1, 3, 6, 1, 4, 1, 64999, 7, 2, 1, 3, 1): (OCTETS, bytes.fromhex("00156d9a0b0c")),
}


@pytest.fixture
def siaga(scrubbed: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Siaga:
    monkeypatch.chdir(scrubbed.parent)
    return runner(capsys)


@pytest.fixture
def genset() -> Iterator[str]:
    script = Script(ACME)
    with ExitStack() as stack:
        yield f"127.0.0.1:{stack.enter_context(answering(script.answer))}"


def test_a_new_make_is_taught_in_a_few_commands(siaga: Siaga, genset: str, scrubbed: Path) -> None:
    told = siaga("platform", "record", genset, "--draft", "acme.toml", "-f", "acme.snmprec").well().err
    assert "does not know this make yet" in told
    assert "platform test acme.toml acme.snmprec" in told
    siaga("platform", "test", "acme.toml", "acme.snmprec").well()

    file = Path("acme.toml")
    text = file.read_text("utf-8")
    voltage = (
        '  { class = "voltage", oid = "1.3.6.1.4.1.64999.7.2.1.2", scale = 0.1, title = "Phase {i}" },\n]'
    )
    file.write_text(text.replace("\n]\n", f"\n{voltage}\n", 1), "utf-8")
    found = json.loads(siaga("platform", "test", "acme.toml", "acme.snmprec", "-o", "json").well().out)
    assert [(s["descr"], s["value"]) for s in found["sensors"]] == [("Phase 1", 230.1), ("Phase 2", 229.8)]

    assert json.loads(siaga("inspect", genset, "-o", "json").well().out)["os"] == ""
    (scrubbed / "platforms").mkdir(parents=True)
    file.rename(scrubbed / "platforms" / "acme.toml")
    seen = json.loads(siaga("inspect", genset, "-o", "json").well().out)
    assert seen["os"] == "acme"
    assert [s["value"] for s in seen["sensors"]] == [230.1, 229.8]
    assert "own" in siaga("platform", "list", "acme").well().out
    assert "64999.7.2.1.2" in siaga("platform", "show", "acme").well().out


def test_a_recording_has_no_names_and_no_secrets(siaga: Siaga, genset: str) -> None:
    assert "look through them" in siaga("platform", "record", genset, "-f", "a.snmprec").well().err
    text = Path("a.snmprec").read_text("utf-8")
    for word in ("budi", "tangerangkab", "genset-balaraja", "rahasia", "9a0b0c"):
        assert word not in text
    assert "Acme Genset Controller 3" in text
    siaga("platform", "record", genset, "-f", "b.snmprec", "--unmasked").well()
    assert "genset-balaraja" in Path("b.snmprec").read_text("utf-8")


def test_a_draft_lists_the_columns_that_say_what_rows_are_called() -> None:
    seen = {o: v for o, (_, v) in ACME.items()}
    seen |= {(1, 3, 6, 1, 4, 1, 64999, 7, 2, 1, 4, n): b"Phase \x1b[1m\n]" for n in (1, 2)}
    text = draft("acme", seen)
    assert '# text = "1.3.6.1.4.1.64999.7.2.1.4"  # Phase [1m ], Phase [1m ]\n' in text
    assert Platform.model_validate(tomllib.loads(text)).sensors == ()


def _taken_over(text: str) -> Platform:
    """Return the platform of a draft of which every reading is taken over as it stands."""
    return Platform.model_validate(tomllib.loads(text.replace("  # { class", "  { class")))


def test_every_line_of_a_draft_can_be_taken_over_as_it_stands() -> None:
    branch = (1, 3, 6, 1, 4, 1, 64999, 7)
    said: dict[int, list[Value]] = {
        1: [1, 2],
        2: [1, 3],
        3: [b"54.2 V", b""],
        4: [b"23.5", b"24"],
        5: [b"A", b"B"],
    }
    seen = {o: v for o, (_, v) in ACME.items() if o[:7] != branch[:7]}
    seen |= {(*branch, column, row): v for column, vs in said.items() for row, v in enumerate(vs, 1)}
    sensors = _taken_over(draft("acme", seen)).sensors
    assert [(s.oid[-1], s.kind) for s in sensors] == [("2", "state"), ("3", "voltage"), ("4", "count")]
    assert set(sensors[0].states) == {"1", "3"}


@pytest.mark.parametrize(
    ("maker", "probe", "descr"),
    [(64999, "1.3.6.1.4.1.64999", ""), (2021, None, "Acme"), (8072, None, "Acme")],
)
def test_a_draft_of_a_box_with_a_common_agent_does_not_fit_every_server(
    maker: int, probe: str | None, descr: str
) -> None:
    agent = (1, 3, 6, 1, 4, 1, 8072, 3, 2, 10)
    seen = {o: v for o, (_, v) in ACME.items() if o[:7] != (1, 3, 6, 1, 4, 1, 64999)}
    seen |= {
        oid("1.3.6.1.2.1.1.2.0"): agent,
        (*agent[:6], maker, 7, 1, 0): 81,
        (*agent[:6], 2021, 4, 5, 0): 9,
    }
    found = _taken_over(draft("acme", seen))
    assert [(m.object_id, m.probe, m.descr) for m in found.match] == [
        (("1.3.6.1.4.1.8072.3.2.10",), probe, descr)
    ]
    assert identify([*platforms(), found], Tables(seen)) is found
    server = seen | {oid("1.3.6.1.2.1.1.1.0"): b"Linux srv 6.1.0"}
    server = {o: v for o, v in server.items() if o[6:7] != (64999,)}
    assert getattr(identify([*platforms(), found], Tables(server)), "name", "") == "linux"
    if probe:
        assert [s.oid for s in found.sensors] == ["1.3.6.1.4.1.64999.7.1.0"]


def test_a_platform_that_is_none_is_no_platform_to_read_by(siaga: Siaga, genset: str) -> None:
    siaga("inspect", genset, "--platform", "routeros2").failed(3, "no-such-platform")
    siaga("inspect", genset, "--platform", "routeros").well()


@pytest.mark.parametrize(
    "half", [("--auth", "SHA"), ("--auth-file", "a.txt"), ("--priv", "AES", "--priv-file", "a.txt")]
)
def test_snmpv3_is_never_asked_with_less_than_was_given(siaga: Siaga, half: tuple[str, ...]) -> None:
    Path("a.txt").write_text("autentikasi-1\n", "utf-8")
    script = Script(ACME)
    with answering(script.answer) as port:
        siaga("inspect", f"127.0.0.1:{port}", "--snmp", "3", "--user", "x", *half).failed(2, "half-given")
    assert script.asked == 0


def test_a_recording_that_is_not_masked_is_for_its_owner_alone(siaga: Siaga, genset: str) -> None:
    siaga("platform", "record", genset, "-f", "a.snmprec", "--unmasked").well()
    assert Path("a.snmprec").stat().st_mode & 0o077 == 0


def test_what_cannot_be_recorded_writes_nothing(siaga: Siaga, genset: str) -> None:
    siaga("platform", "record", f"127.0.0.1:{closed_port()}", "--timeout", "0.2").failed(
        1, "nothing-recorded"
    )
    Path("there.snmprec").write_text("mine", "utf-8")
    siaga("platform", "record", genset, "-f", "there.snmprec").failed(2, "file-exists")
    siaga("platform", "record", genset, "--draft", "../x y.toml").failed(2, "bad-name")
    siaga("platform", "record", genset, "-f", "no/such/folder.snmprec").failed(5, "cannot-write")
    assert Path("there.snmprec").read_text("utf-8") == "mine"
    assert sorted(p.name for p in Path().glob("*.snmprec")) == ["there.snmprec"]


def test_what_is_wrong_with_a_file_or_a_recording_is_said(siaga: Siaga) -> None:
    Path("a.snmprec").write_text("1.3.6.1.2.1.1.1.0|4|x\nnonsense\n1.3|99|1\n", "utf-8")
    assert len(siaga("platform", "test", "routeros", "a.snmprec").failed(5, "bad-recording")) == 2
    siaga("platform", "test", "routeros", "none.snmprec").failed(3, "no-such-file")
    siaga("platform", "test", "none.toml", "a.snmprec").failed(3, "no-such-file")
    assert "routeros" in siaga("platform", "show", "routeros2").err
    head = 'name = "bad"\nvendor = "V"\ntitle = "T"\n'
    Path("bad.toml").write_text(head + 'inherits = "ghost"\n[[match]]\ndescr = "x"\n', "utf-8")
    assert "ghost" in siaga("platform", "test", "bad.toml", "a.snmprec").failed(5, "bad-platform")[0]


HEAD = 'name = "acme"\nvendor = "V"\ntitle = "T"\n'
FOUND = '[[match]]\nobject_id = ["1.3.6.1.4.1.64999"]\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEAD + "vendor\n", "Expected '='"),
        (HEAD + "sensors = 3\n" + FOUND, "sensors"),
        (HEAD + 'inherits = "acme"\n' + FOUND, "circle"),
        (
            HEAD + 'sensors = [{class="state", oid="1.3.6.1.4.1.9.1", states="well"}]\n' + FOUND,
            "meanings.well",
        ),
        (HEAD + FOUND + "descr = '(?!x)(\\w+)+$'\n", "for ever"),
        (
            HEAD + FOUND + '[facts]\nversion = [{source="sysDescr", regex="(G)e", template="{1}"}]\n',
            "1 groups",
        ),
        (
            HEAD + FOUND + '[facts]\nversion = [{source="sysDescr", regex="(G)", template="{0.real}"}]\n',
            "template",
        ),
        (HEAD + FOUND + '[facts]\nversion = [{source="sysDescr", regex="(G)", template="{x"}]\n', "template"),
    ],
)
def test_a_mistake_in_ones_own_file_is_told_and_nothing_is_asked(
    siaga: Siaga, scrubbed: Path, text: str, told: str
) -> None:
    (scrubbed / "platforms").mkdir(parents=True)
    (scrubbed / "platforms" / "acme.toml").write_text(text, "utf-8")
    script = Script(ACME)
    with answering(script.answer) as port:
        for command in (("inspect",), ("platform", "test", "routeros")):
            problems = siaga(*command, f"127.0.0.1:{port}").failed(5, "bad-platform")
            assert any("acme.toml" in problem and told in problem for problem in problems)
    assert script.asked == 0


def test_a_device_that_is_another_make_is_a_finding(siaga: Siaga) -> None:
    rows = {o: v for o, (_, v) in switch().items()}
    Path("switch.snmprec").write_text("".join(lines(rows)), "utf-8")
    said = siaga("platform", "test", "apc", "switch.snmprec")
    assert said.code == 6
    assert "recognised as routeros" in said.err


OIDS = st.lists(st.integers(0, 2**32 - 1), max_size=5).map(lambda arcs: (1, 3, 6, 1, 4, 1, 9, *arcs))
VALUES: st.SearchStrategy[Value] = st.one_of(
    st.integers(-(2**31), 2**64 - 1),
    st.binary(max_size=40),
    st.binary(min_size=4, max_size=4).map(IpAddress),
    OIDS,
    st.text(max_size=20).map(str.encode),
)


@given(st.dictionaries(OIDS, VALUES, max_size=12))
def test_a_recording_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, seen: dict[Oid, Value]
) -> None:
    path = tmp_path_factory.mktemp("r") / "a.snmprec"
    path.write_bytes("".join(lines(seen)).encode())
    assert load(path) == seen
    assert [type(v) for v in load(path).values()] == [type(seen[o]) for o in sorted(seen)]


def test_lines_of_other_tools_are_read_and_their_mistakes_named(tmp_path: Path) -> None:
    path = tmp_path / "a.snmprec"
    path.write_text(
        "1.3.6.1.2.1.1.1.0|4x|4142\n1.3.1|64|10.0.0.1\n1.3.2|64x|0a000002\n1.3.3|5|\n1.3.4|65|7\n"
    )
    assert load(path) == {
        oid("1.3.6.1.2.1.1.1.0"): b"AB",
        (1, 3, 1): b"\n\0\0\1",
        (1, 3, 2): b"\n\0\0\2",
        (1, 3, 4): 7,
    }
    path.write_text("1.3.1|2|x\n1.3.2|64|10.0.0.999\n")
    with pytest.raises(InvalidError) as caught:
        load(path)
    assert [p.partition(":")[0] for p in caught.value.problems] == ["line 1", "line 2"]


def test_single_lines_that_are_none_are_left_out_and_told(siaga: Siaga) -> None:
    rows = {o: v for o, (_, v) in switch().items()}
    odd = "1.3.9|65:numeric|rate=100\n1.3.10|2|<private>\n1.3.11|4x|4z\n"
    Path("a.snmprec").write_text("".join(lines(rows)) + odd, "utf-8")
    assert "3 lines were left out" in siaga("platform", "test", "routeros", "a.snmprec").err
    left_out: list[str] = []
    assert load(Path("a.snmprec"), left_out) == rows
    assert [told.partition(": ")[2] for told in left_out] == [
        "it says how to make values up",
        "'<private>' is no number",
        "its value has other than hex digits",
    ]


SECRETS = st.text("abcdefghij0123456789", min_size=6, max_size=20)


@given(SECRETS, SECRETS, st.dictionaries(OIDS, VALUES, max_size=12))
def test_no_name_and_no_serial_number_is_left_anywhere(
    name: str, serial: str, rest: dict[Oid, Value]
) -> None:
    name, serial = f"rtr-{name}", f"SN{serial}"
    seen: dict[Oid, Value] = {
        **rest,
        (1, 3, 6, 1, 2, 1, 1, 5, 0): name.encode(),
        (1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1, 11, 1): serial.encode(),
        (1, 3, 6, 1, 4, 1, 9, 1): f"{name}/{serial} password: {serial}x".encode(),
        (*DROPPED[0], 1): b"public",
    }
    kept = masked(seen, key=b"k")
    text = "".join(lines(kept))
    assert name not in text
    assert serial not in text
    assert len(kept) == len([o for o in seen if o[: len(DROPPED[0])] != DROPPED[0]])
    assert all(type(v) is type(seen[o]) for o, v in kept.items() if o in seen)


@given(st.dictionaries(OIDS, VALUES, max_size=12), st.text(max_size=30), OIDS)
def test_a_draft_is_always_a_valid_platform_file(seen: dict[Oid, Value], descr: str, object_id: Oid) -> None:
    system: dict[Oid, Value] = {oid("1.3.6.1.2.1.1.1.0"): descr.encode(), oid("1.3.6.1.2.1.1.2.0"): object_id}
    found = Platform.model_validate(tomllib.loads(draft("new", seen | system)))
    assert found.match


def test_a_recording_is_read_like_a_device() -> None:
    rows = {o: v for o, (_, v) in switch().items()}
    reading = asyncio.run(read(RecordedAgent(rows), "", full=True))
    assert reading.platform is not None
    assert reading.platform.name == "routeros"
    assert len(Tables(reading.seen).column(oid("1.3.6.1.2.1.2.2.1.2"))) == 3
    assert reading.faults == []
