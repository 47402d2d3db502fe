"""Every rule brings its proof: a whole configuration that it says `met` of, and one that it says `broken` of."""

import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.findings import Verdict
from inventory.platforms import config_of
from monitor.compliance.check import Subject, of_text
from monitor.compliance.files import Book, load
from monitor.compliance.format import Rule
from monitor.compliance.sections import Dialect, document
from monitor.compliance.texts import Text, text_of
from monitor.configs.normalise import normal

FOLDER = Path(__file__).parent / "configurations"
PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
KNOWN = {
    "name": "rtr-mauk",
    "ntp_servers": ["10.36.0.1", "10.36.0.2"],
    "syslog_servers": ["10.36.0.9"],
    "vlans": [10, 20, 21, 22],
}
LIBRARY = load(None)
FILES = {LIBRARY.platforms[name][0] for name in LIBRARY.by_name}
RULES = [pytest.param(LIBRARY.platforms[n][0], rule, id=n) for n, rule in sorted(LIBRARY.by_name.items())]


def text(platform: str, kind: str) -> Text:
    return text_of(1, (FOLDER / f"{platform}.{kind}").read_bytes(), NOW)


def answer(
    platform: str, rule: Rule, kind: str, known: dict[str, object] | None = None
) -> tuple[Verdict, str]:
    role = rule.roles[0] if rule.roles else "router"
    subject = Subject(1, "rtr-mauk", platform, role, KNOWN if known is None else known)
    found = of_text(subject, LIBRARY.books[platform], text(platform, kind), NOW).answers[rule.name]
    return found.verdict, found.reason


def test_at_least_forty_rules_ship_for_seven_platforms() -> None:
    assert len(LIBRARY.by_name) >= 40
    assert {
        "routeros",
        "ios",
        "vrp",
        "ruijie",
        "fortigate",
        "comware",
        "linux",
        "frr",
    } <= LIBRARY.books.keys()


@pytest.mark.parametrize(("platform", "rule"), RULES)
def test_a_configuration_as_it_should_be_meets_the_rule(platform: str, rule: Rule) -> None:
    assert answer(platform, rule, "good") == (Verdict.met, "")


@pytest.mark.parametrize(("platform", "rule"), RULES)
def test_a_configuration_as_it_should_not_be_breaks_the_rule(platform: str, rule: Rule) -> None:
    assert answer(platform, rule, "bad")[0] is Verdict.broken


@pytest.mark.parametrize(("platform", "rule"), [p for p in RULES if p.values[1].parameters])
def test_what_the_inventory_does_not_say_is_unknown(platform: str, rule: Rule) -> None:
    verdict, reason = answer(platform, rule, "good", {})
    assert (verdict, reason[:27]) == (Verdict.unknown, "The inventory does not say ")


@pytest.mark.parametrize("platform", sorted(FILES))
def test_half_a_configuration_proves_nothing(platform: str) -> None:
    book: Book = LIBRARY.books[platform]
    whole = text(platform, "good")
    for cut in ("", "\0\xff" * 500, "x" * 10_000, whole.text[:9] if platform == "frr" else "Password:"):
        part = Text(1, cut, NOW, "")
        subject = Subject(1, "rtr-mauk", platform, "router", KNOWN)
        found = {a.verdict for a in of_text(subject, book, part, NOW).answers.values()}
        assert found <= {Verdict.unknown, Verdict.none}
        assert Verdict.unknown in found


def test_an_old_configuration_proves_nothing() -> None:
    subject = Subject(1, "rtr-mauk", "routeros", "router", KNOWN)
    found = of_text(subject, LIBRARY.books["routeros"], text("routeros", "good"), NOW + timedelta(days=31))
    assert {a.verdict for a in found.answers.values()} == {Verdict.unknown}
    assert found.answers["routeros-ntp"].reason == "Its configuration is 31 days old."


@pytest.mark.parametrize("platform", sorted(FILES))
def test_no_secret_of_a_configuration_is_kept_as_evidence(platform: str) -> None:
    subject = Subject(1, "rtr-mauk", platform, "switch", KNOWN)
    answers = of_text(subject, LIBRARY.books[platform], text(platform, "bad"), NOW).answers.values()
    told = " ".join(line for a in answers for line in (a.reason, *a.evidence))
    for secret in ("rahasia", "060506324F41", "Mudah", "%$%$abc", "08351f1b1d", "072c", "%^%#abc"):
        assert secret not in told


def test_what_mends_a_rule_takes_the_parameters_that_it_is_given() -> None:
    """Every play that a rule names, as far as it is here, knows each parameter, and takes its value."""
    asked = [r for r in LIBRARY.by_name.values() if r.mend]
    assert {r.mend.playbook for r in asked if r.mend} == {"baseline", "network-baseline"}
    for rule in asked:
        assert rule.mend
        path = PLAYBOOKS / f"{rule.mend.playbook}.toml"
        known = tomllib.loads(path.read_text())["params"] if path.exists() else None
        for name, value in rule.mend.params.items():
            if known is not None:
                assert value in known[name].get("choices", [value]), (rule.name, name)
                assert known[name]["type"] != "list" or value == f"{{{name}}}", (rule.name, name)


def test_a_configuration_that_its_source_calls_cut_proves_nothing() -> None:
    subject = Subject(1, "rtr-mauk", "routeros", "router", KNOWN)
    cut = replace(text("routeros", "good"), whole=False)
    assert {a.verdict for a in of_text(subject, LIBRARY.books["routeros"], cut, NOW).answers.values()} == {
        Verdict.unknown
    }


def test_nothing_within_a_banner_is_configuration() -> None:
    spoof = "banner motd #\nsnmp-server community public RW\nip http server\n#\nhostname rtr-mauk\nend\n"
    subject = Subject(1, "rtr-mauk", "ios", "router", KNOWN)
    answers = of_text(subject, LIBRARY.books["ios"], Text(1, spoof, NOW, ""), NOW).answers
    assert {answers[r].verdict for r in ("ios-snmp-v3", "ios-http-off", "ios-hostname")} == {Verdict.met}


@settings(max_examples=60)
@given(st.text(max_size=400), st.sampled_from(["indent", "fortios", "routeros", "files"]))
def test_no_text_breaks_what_takes_it_apart(drawn: str, dialect: Dialect) -> None:
    for section in document(drawn, dialect).sections:
        assert section.inner is not None
        assert all(line == line.strip() for line in section.lines)


@pytest.mark.parametrize("platform", sorted(FILES))
@pytest.mark.parametrize(("kind", "wanted"), [("good", Verdict.met), ("bad", Verdict.broken)])
def test_the_form_that_the_backup_keeps_is_judged_the_same(platform: str, kind: str, wanted: Verdict) -> None:
    found = config_of(platform)
    assert found
    lines = text(platform, kind).text.split("\n")
    kept = normal(lines, found[1], lambda _: "<secret:0123abcd>")
    for rule in LIBRARY.books[platform].rules:
        subject = Subject(1, "rtr-mauk", platform, rule.roles[0] if rule.roles else "router", KNOWN)
        whole = Text(1, kept.text, NOW, "", whole=True)
        assert of_text(subject, LIBRARY.books[platform], whole, NOW).answers[rule.name].verdict is wanted, (
            rule.name
        )
