"""The rubric as versioned data: what is measured, how it becomes a level, and on which official text it rests.

A file of `report/rubrics/` (or one that the regency wrote itself) read by a strict model: everything that is wrong with
it is told at once. A version is never changed once a report was made by it; a change is a new file.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from report import measures
from report.needs import Need, parse
from siaga.errors import InvalidError, NotFoundError
from siaga.hours import hours
from siaga.text import safe

FOLDER = Path(__file__).with_name("rubrics")
LATEST = "2026-1"
LEVELS = (2, 3, 4, 5)


class Part(BaseModel):
    """A part of the tree: frozen, and strict about unknown keys."""

    model_config = {"frozen": True, "extra": "forbid"}


class Both(Part):
    """A text in both languages."""

    id: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def of(self, lang: str) -> str:
        """Return the text in a language."""
        return self.en if lang == "en" else self.id


class Step(Part):
    """A level of a ladder: its text, and all that it needs beyond the level below."""

    text: Both
    needs: tuple[str, ...] = Field(min_length=1)


class Basis(Part):
    """What an official text says to it: an indicator by its number, or a criterion in words."""

    fw: str
    ind: int | None = None
    crit: str = ""

    @model_validator(mode="after")
    def _said(self) -> "Basis":
        if self.ind is None and not self.crit:
            raise ValueError("a basis names an indicator (ind) or a criterion (crit)")
        return self


class Indicator(Part):
    """A row. `measured`: whether an official text demands the thing measured; `graded`: whose the levels are."""

    id: str = Field(pattern=r"^[A-Z]{3}-[A-Z]{3}-[0-9]{2}$")
    name: Both
    definition: Both
    dimension: str
    part: str
    area: str
    measure: str = Field(pattern=r"^[a-z][a-z0-9_]{0,60}$")
    formula: str
    unit: str
    direction: Literal["higher", "lower", "ladder"]
    levels: Mapping[int, float | Step]
    target: float
    weight: float = Field(gt=0, le=100)
    min_coverage: float = Field(ge=0, le=1)
    measured: Literal["official", "own"]
    graded: Literal["official", "own"]
    note: str = ""
    basis: tuple[Basis, ...] = ()

    @model_validator(mode="after")
    def _levels_fit(self) -> "Indicator":
        if tuple(sorted(self.levels)) != LEVELS:
            raise ValueError(f"levels are given for 2, 3, 4 and 5, not for {sorted(self.levels)}")
        steps = [isinstance(self.levels[n], Step) for n in LEVELS]
        if (self.direction == "ladder") != all(steps) or any(steps) != all(steps):
            raise ValueError(
                "a ladder has texts with needs for its levels, every other direction has numbers"
            )
        if self.direction != "ladder":
            self._monotone()
        if self.measured == "official" and not self.basis:
            raise ValueError("what an official text demands names that text as a basis")
        if self.graded == "official" and self.direction != "ladder":
            raise ValueError("levels of an official text are a ladder")
        return self

    def _monotone(self) -> None:
        bounds = [self.bound(n) for n in LEVELS]
        if sorted(bounds, reverse=self.direction == "lower") != bounds or len(set(bounds)) < len(bounds):
            raise ValueError(f"the bounds {bounds} do not go one way, as '{self.direction}' asks")
        if not min(bounds) <= self.target <= max(bounds):
            raise ValueError(f"the target {self.target:g} lies outside the bounds {bounds}")

    def bound(self, level: int) -> float:
        """Return the bound of a level that is a number."""
        found = self.levels[level]
        assert not isinstance(found, Step)
        return found

    def steps(self) -> Iterator[tuple[int, Step, tuple[Need, ...]]]:
        """Yield the levels of a ladder with their needs. Raises InvalidError (`bad-need`)."""
        for level in LEVELS:
            step = self.levels[level]
            if isinstance(step, Step):
                yield level, step, tuple(parse(n) for n in step.needs)


class Dimension(Part):
    """A dimension, its weight, and the parts it has."""

    weight: float = Field(gt=0, le=100)
    name: Both
    parts: Mapping[str, Both]


class Gate(Part):
    """A row that stands on page 1 while its level is below one."""

    row: str
    below: int = Field(ge=2, le=5)
    text: Both


class Band(Part):
    """What an index from `least` on is called; our words."""

    least: float
    name: Both


class Framework(Part):
    """An official text, and how well it is known here."""

    name: str
    status: str
    confidence: str
    indicators: int | None = None


class Limits(Part):
    """The figures inside the measures, beside the bounds of their levels: ours, and to be set by the regency."""

    staff_roles: tuple[str, ...]
    competences: tuple[str, ...]
    competence_people: Annotated[int, Field(ge=1)]
    security_area: str
    service_hours: str
    support_ahead_days: int
    claim_after_s: int
    min_cir_bps: Mapping[str, int]
    cir_share: float
    saturated_share: float
    rtt_ms: Mapping[str, float]
    loss_pct: float
    outage_least_s: int
    priority_weights: Mapping[int, float]
    failover_days: int
    network_roles: tuple[str, ...]
    eol_roles: tuple[str, ...]
    rented_tags: tuple[str, ...]
    polled_share: float
    backup_days: int
    drift_days: int
    verified_days: int
    inlet_c: tuple[float, float]
    humidity_pct: float
    room_check_days: int
    cctv_tag: str
    cctv_pct: float
    tls_days: float
    shut_share: float
    zones: Mapping[str, tuple[str, ...]]
    advisory_days: int
    log_hours: float
    clock_skew_s: float
    restore_days: int
    policies: tuple[str, ...]
    kami_statuses: tuple[str, ...]
    ticket_hours: Mapping[int, float]

    @field_validator("service_hours")
    @classmethod
    def _hours(cls, text: str) -> str:
        try:
            hours(text)
        except InvalidError as error:
            raise ValueError(error.sentence) from None
        return text


class Rubric(Part):
    """A rubric whole."""

    schema_: Literal[1] = Field(alias="schema")
    version: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,60}$")
    dated: str
    label: Both
    bands: tuple[Band, ...]
    gates: tuple[Gate, ...]
    dimensions: Mapping[str, Dimension]
    areas: Mapping[str, Both]
    frameworks: Mapping[str, Framework]
    evidence_kinds: Mapping[str, Both]
    limits: Limits
    indicators: tuple[Indicator, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _whole(self) -> "Rubric":
        problems = [*self._doubles(), *self._places(), *self._measures(), *self._needs(), *self._weights()]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def row(self, key: str) -> Indicator:
        """Return an indicator by its id; raises NotFoundError (`no-such-indicator`)."""
        found = next((i for i in self.indicators if i.id == key.strip().upper()), None)
        if found is None:
            raise NotFoundError(
                "no-such-indicator",
                f"Rubric {self.version} has no indicator '{safe(key, 40)}'; it has {self.indicators[0].id}"
                f" to {self.indicators[-1].id}.",
            )
        return found

    def _doubles(self) -> Iterator[str]:
        for what in ("id", "measure"):
            for value, times in Counter(getattr(i, what) for i in self.indicators).items():
                if times > 1:
                    yield f"{what} '{value}' is given {times} times"

    def _places(self) -> Iterator[str]:
        for i in self.indicators:
            dimension = self.dimensions.get(i.dimension)
            if dimension is None:
                yield f"{i.id}: there is no dimension '{i.dimension}'"
            elif i.part not in dimension.parts:
                yield f"{i.id}: dimension '{i.dimension}' has no part '{i.part}'"
            if i.area not in self.areas:
                yield f"{i.id}: there is no area '{i.area}'"
            yield from (f"{i.id}: {p}" for b in i.basis if (p := self._unfounded(b)))
        ids = {i.id for i in self.indicators}
        yield from (f"gate of {g.row}: there is no such row" for g in self.gates if g.row not in ids)

    def _unfounded(self, basis: Basis) -> str:
        framework = self.frameworks.get(basis.fw)
        if framework is None:
            return f"there is no framework '{basis.fw}'"
        if basis.ind is not None and not 1 <= basis.ind <= (framework.indicators or 0):
            return f"'{basis.fw}' has no indicator {basis.ind}"
        return ""

    def _measures(self) -> Iterator[str]:
        known = measures.names()
        for i in self.indicators:
            if i.measure not in known:
                yield f"{i.id}: there is no measure '{i.measure}' in report/measures"

    def _needs(self) -> Iterator[str]:
        for i in self.indicators:
            try:
                kinds = [k for _, _, needs in i.steps() for n in needs for k in n.kinds()]
            except InvalidError as error:
                yield f"{i.id}: {error.sentence}"
                continue
            yield from (
                f"{i.id}: there is no kind of document '{k}'" for k in kinds if k not in self.evidence_kinds
            )

    def _weights(self) -> Iterator[str]:
        for key, dimension in self.dimensions.items():
            total = sum(i.weight for i in self.indicators if i.dimension == key)
            if abs(total - dimension.weight) > 1e-9:
                yield f"dimension '{key}': its rows weigh {total:g} together, not {dimension.weight:g}"
        total = sum(d.weight for d in self.dimensions.values())
        if abs(total - 100) > 1e-9:
            yield f"the dimensions weigh {total:g} together, not 100"


@dataclass(frozen=True)
class Loaded:
    """A rubric with the bytes it was read from: a report names their hash, a bundle carries them."""

    rubric: Rubric
    data: bytes

    @property
    def sha256(self) -> str:
        """The hash of the file."""
        return hashlib.sha256(self.data).hexdigest()


def versions() -> list[str]:
    """Return the versions that come with siaga, the newest last."""
    return sorted(p.stem for p in FOLDER.glob("*.yaml"))


@cache
def load(which: str = LATEST) -> Loaded:
    """Read a rubric by its version, or a file of one's own by its path.

    Raises NotFoundError (`no-such-rubric`), InvalidError (`bad-rubric`) with every problem.
    """
    path = FOLDER / f"{which}.yaml" if which in versions() else Path(which)
    try:
        return read(path.read_bytes(), str(path))
    except OSError as error:
        sentence = (
            f"There is no rubric '{safe(which, 80)}' ({error.strerror}): there are {', '.join(versions())}."
        )
        raise NotFoundError("no-such-rubric", sentence) from None


def read(data: bytes, source: str) -> Loaded:
    """Read a rubric from its bytes. Raises InvalidError (`bad-rubric`)."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return Loaded(Rubric.model_validate(yaml.load(data.decode(), loader)), data)  # noqa: S506 - a safe loader
    except ValidationError as error:
        problems = list(_told(error.errors()))
        raise InvalidError("bad-rubric", f"{source} is no rubric.", problems) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidError("bad-rubric", f"{source} is no rubric: {safe(error, 200)}.") from None


def _told(errors: Iterable[Any]) -> Iterator[str]:
    for error in errors:
        where = ".".join(str(p) for p in error["loc"])
        for line in error["msg"].removeprefix("Value error, ").splitlines():
            yield f"{where}: {line}" if where else line
