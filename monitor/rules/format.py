"""What a rule's file may say. Strict: an unknown key, or a value of the wrong kind, is an error with its place."""

from collections.abc import Iterator, Mapping
from typing import Literal, Self

from pydantic import Field, model_validator

from siaga.settings import Frozen

SEVERITIES = ("warning", "critical")  # in this order
Severity = Literal["warning", "critical"]
Kind = Literal[
    "device",
    "memory",
    "disk",
    "sensor",
    "interface",
    "connection",
    "link",
    "service",
    "login",
    "findings",
    "siaga",
]
OWN = ("siaga", "service", "login", "findings")  # what is no part of a device that is polled


class Words(Frozen):
    """One text in both languages. {device}, {subject}, {value} and {limit} stand for what they say."""

    id: str = Field(min_length=1, max_length=600)
    en: str = Field(min_length=1, max_length=600)

    def of(self, language: str) -> str:
        """Return the text of a language."""
        return self.id if language == "id" else self.en


class Level(Frozen):
    """When one severity holds: exactly one of the conditions. `clear`: not before the value is past this again.

    above, below   the value is over, or under, this (equal counts)
    equals         the value, a word, is one of these; case does not matter
    rises          the value has grown by this within the rule's `within_s`
    missing_s      there was no value for so long
    """

    above: float | None = None
    below: float | None = None
    equals: tuple[str, ...] = ()
    rises: float | None = Field(None, gt=0)
    missing_s: float | None = Field(None, gt=0)
    clear: float | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        given = [c for c in ("above", "below", "rises", "missing_s") if getattr(self, c) is not None]
        given += ["equals"] if self.equals else []
        if len(given) != 1:
            raise ValueError("a level has exactly one of above, below, equals, rises and missing_s")
        if self.clear is None:
            return self
        if given[0] not in ("above", "below"):
            raise ValueError("only a level with above or below has a clear")
        wrong = self.clear > (self.above or 0) if given[0] == "above" else self.clear < (self.below or 0)
        if wrong:
            raise ValueError(f"clear = {self.clear:g} is on the wrong side: an alert would never end")
        return self

    @property
    def limit(self) -> float | str | None:
        """What is shown as the limit."""
        if self.equals:
            return ", ".join(self.equals)
        numbers = (self.above, self.below, self.rises, self.missing_s)
        return next((n for n in numbers if n is not None), None)


class Rule(Frozen):
    """One rule. The file's name is the rule's.

    `of` is the class of what is looked at, `measure` the value of it; `where`: only subjects whose facts are one
    of these words (class, group, role, …). `own_limits`: what the device itself holds for too much comes first.
    `per_device`: however many subjects are wrong, it is one alert. `yields_to`: a subject for which one of these
    rules holds is not judged. `tell`: whether anybody is notified, or it is only shown.
    """

    name: str = Field(pattern="^[a-z][a-z0-9-]{1,60}$")
    title: Words
    text: Words
    of: Kind
    measure: str = Field(pattern="^[a-z][a-z0-9_]{0,60}$")
    unit: str = Field("", max_length=12)
    where: Mapping[str, tuple[str, ...]] = {}
    roles: tuple[str, ...] = ()
    selector: str = ""
    warning: Level | None = None
    critical: Level | None = None
    for_s: float = Field(0.0, ge=0, le=30 * 86400)
    clear_for_s: float = Field(0.0, ge=0, le=86400)
    within_s: float = Field(3600.0, gt=0, le=86400)
    own_limits: bool = False
    per_device: bool = False
    yields_to: tuple[str, ...] = ()
    tell: bool = True
    off: bool = False
    procedure: Words
    playbook: str = Field("", pattern="^[a-z0-9-]{0,60}$")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.warning is None and self.critical is None:
            raise ValueError("a rule has a [warning], a [critical], or both")
        return self

    def levels(self) -> Iterator[tuple[Severity, Level]]:
        """Yield the levels, the gravest first."""
        if self.critical is not None:
            yield "critical", self.critical
        if self.warning is not None:
            yield "warning", self.warning


def filled(text: str, *, device: str, subject: str, value: str, limit: str) -> str:
    """Return a text with what its four words stand for; what is put in is never looked at again."""
    words = {"device": device, "subject": subject, "value": value, "limit": limit}
    parts = text.split("{")
    found = [parts[0]]
    for part in parts[1:]:
        name, closed, rest = part.partition("}")
        found.append(f"{words[name]}{rest}" if closed and name in words else "{" + part)
    return "".join(found)
