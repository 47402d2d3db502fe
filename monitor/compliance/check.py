"""The rules of each platform on the newest configuration of each device. Pure, but for the texts that it is given."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from inventory.findings import Judged, Key, Verdict
from inventory.platforms import config_of
from monitor.compliance.files import Book, Library
from monitor.compliance.format import Mend, Rule
from monitor.compliance.judge import Answer, judge
from monitor.compliance.sections import Document, document
from monitor.compliance.texts import Text, Texts
from monitor.configs.normalise import secretless
from siaga.expressions import prompt

SOURCE = "compliance"
MAX_AGE = timedelta(days=30)


@dataclass(frozen=True)
class Subject:
    """A device to be judged: its platform, its role, and what the inventory says should be."""

    device_id: int
    name: str
    platform: str
    role: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """What all rules said of one device; `at` is when its configuration was taken (None: there is none)."""

    subject: Subject
    answers: Mapping[str, Answer]
    at: datetime | None = None
    sha256: str = ""

    @property
    def counts(self) -> Counter[Verdict]:
        """How many rules gave which answer."""
        return Counter(a.verdict for a in self.answers.values())


def check(
    subjects: Sequence[Subject],
    library: Library,
    texts: Texts,
    now: datetime,
    max_age: timedelta = MAX_AGE,
) -> Iterator[Result]:
    """Yield what the rules say of each device for whose platform there are any."""
    known = {s.device_id: s for s in subjects if s.platform in library.books}
    left = dict(known)
    for text in texts.latest([(s.device_id, s.name) for s in known.values()]):
        subject = left.pop(text.device_id, None)
        if subject is not None:
            if (
                not text.whole
            ):  # a file that somebody laid down, with its secrets; the backup's are masked already
                text = replace(text, text=_secretless(text.text, subject.platform))
            yield of_text(subject, library.books[subject.platform], text, now, max_age)
    for subject in left.values():
        book = library.books[subject.platform]
        yield Result(subject, _all_unknown(book, subject, "There is no configuration of it."))


def _secretless(text: str, platform: str) -> str:
    known = config_of(platform)
    return secretless(text, known[1] if known else None)


def of_text(subject: Subject, book: Book, text: Text, now: datetime, max_age: timedelta = MAX_AGE) -> Result:
    """Return what the rules of its platform say of one configuration."""
    doc = document(text.text, book.dialect)
    why = _unbelievable(text, doc, book, now, max_age)
    if why:
        return Result(subject, _all_unknown(book, subject, why), text.at, text.sha256)
    answers = {
        r.name: judge(r, doc, subject.params) if _meant(r, subject) else _NOT_MEANT for r in book.rules
    }
    return Result(subject, answers, text.at, text.sha256)


_NOT_MEANT = Answer(Verdict.none, "It is not for devices of this role.")


def _meant(rule: Rule, subject: Subject) -> bool:
    return not rule.roles or subject.role in rule.roles


def _all_unknown(book: Book, subject: Subject, why: str) -> dict[str, Answer]:
    answer = Answer(Verdict.unknown, why)
    return {r.name: answer if _meant(r, subject) else _NOT_MEANT for r in book.rules}


def _unbelievable(text: Text, doc: Document, book: Book, now: datetime, max_age: timedelta) -> str:
    """Return why nothing is proven by a text; '' if it is to be believed."""
    if text.whole is False or not (text.whole or _looks_whole(doc, book)):
        return "Its configuration is not whole: the end of it, or what every one has, is not there."
    if now - text.at > max_age:
        return f"Its configuration is {(now - text.at).days} days old."
    return ""


def _looks_whole(doc: Document, book: Book) -> bool:
    return any(any(map(prompt(w).search, doc.top)) for w in book.whole)


def judged(result: Result, library: Library) -> Iterator[Judged]:
    """Yield the answers on one device as the findings' store takes them."""
    for name, answer in result.answers.items():
        rule = library.by_name[name]
        mend = rule.mend
        yield Judged(
            key=Key(SOURCE, name, result.subject.device_id),
            verdict=answer.verdict,
            severity=rule.severity,
            title=f"{rule.title}: not so.",
            detail=answer.reason,
            article=rule.article,
            evidence=answer.evidence,
            evidence_at=result.at,
            playbook=mend.playbook if mend else "",
            params=filled(mend, result.subject.params) if mend else {},
        )


def filled(mend: Mend, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that a playbook is to be run with; what the inventory does not say is left to the play."""
    found = {}
    for key, value in mend.params.items():
        if isinstance(value, str) and value.startswith("{") and value.endswith("}"):
            if params.get(value[1:-1]) not in (None, "", []):
                found[key] = params[value[1:-1]]
        else:
            found[key] = value
    return found
