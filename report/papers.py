"""Documents of the register as measures look at them: the newest of a kind, those about a row. Pure."""

from collections.abc import Iterable, Iterator
from datetime import date

from report.questions import Questions
from report.records import Document

BY_ITSELF = ("bast",)  # siaga puts these into the register: they are no sign that somebody keeps it


def kept(ask: Questions) -> bool:
    """Tell whether the register is kept at all: one that holds nothing says nothing."""
    return bool(registered(ask.every(Document), ask.period.last_day))


def registered(documents: Iterable[Document] | None, day: date) -> list[Document]:
    """Return the documents that somebody put into the register, dated until a day."""
    return [d for d in documents or () if d.dated <= day and d.kind not in BY_ITSELF]


def valid(ask: Questions, kind: str, days: int | None = None, about: str = "") -> Iterator[Document]:
    """Yield the documents of a kind that hold at the end of the period, newest first."""
    day = ask.period.last_day
    found = [
        d
        for d in ask.every(Document) or ()
        if d.kind == kind and holds(d, day, days) and (not about or d.about == about)
    ]
    yield from sorted(found, key=lambda d: (d.dated, d.name), reverse=True)


def holds(document: Document, day: date, days: int | None) -> bool:
    """Tell whether a document is valid on a day, and dated at most so many days before it."""
    fresh = days is None or (day - document.dated).days <= days
    return document.dated <= day and fresh and (document.valid_until is None or document.valid_until >= day)


def ids(documents: Iterator[Document] | list[Document]) -> list[str]:
    """Return the evidence ids of documents."""
    return [f"document/{d.name}" for d in documents]
