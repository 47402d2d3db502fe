"""What a platform file may say: how a platform is recognised, and which objects hold what.

Object identifiers are written as dotted numbers; one that ends in `.0` is a scalar and is asked by GET, any other
is a column and is walked. Regular expressions are searched in text of at most 255 characters; the first group, or
the whole match, is what is taken.
"""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, model_validator

from siaga.expressions import expression, prompt


def _oid(text: str) -> str:
    if not re.fullmatch(r"[012](\.\d{1,10}){1,60}", text):
        raise ValueError(f"{text!r} is no object identifier in dotted numbers")
    return text


def _regex(text: str) -> str:
    try:
        prompt(text) if text else None
    except ValueError as error:
        raise ValueError(f"{text!r} is no regular expression ({error})") from None
    return text


def _line_regex(text: str) -> str:
    try:
        expression(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no regular expression of RE2 ({error})") from None
    return text


_BRACED = re.compile(r"\{\d+\}")
Oid = Annotated[str, AfterValidator(_oid)]
LineRegex = Annotated[str, AfterValidator(_line_regex)]
Regex = Annotated[str, AfterValidator(_regex)]
Severity = Literal["ok", "warning", "critical", "unknown"]
SensorClass = Literal[
    "temperature", "voltage", "current", "power", "frequency", "fanspeed", "dbm", "humidity", "charge", "runtime",
    "load", "percent", "count", "state", "power_consumed", "power_factor", "delay", "airflow", "pressure", "signal",
    "snr", "loss", "cooling", "waterflow", "bitrate", "quality", "chromatic_dispersion", "ber", "tv_signal",
]  # fmt: skip
Builtin = Literal[
    "host-cpu", "host-memory", "host-storage", "ucd-cpu", "ucd-memory", "ucd-storage", "printer"
]
WirelessClass = Literal[
    "clients", "ap-count", "frequency", "channel", "power", "noise-floor", "rssi", "snr", "ccq", "rate", "quality",
    "utilization", "distance", "capacity", "errors", "error-ratio", "mse", "rsrp", "rsrq", "sinr", "cell", "ssr",
]  # fmt: skip


class Frozen(BaseModel):
    """A part of a platform file: frozen, and strict about unknown keys."""

    model_config = {"frozen": True, "extra": "forbid", "populate_by_name": True}


class Match(Frozen):
    """One way to recognise a platform: everything given here must hold.

    `object_id` are prefixes of sysObjectID. `descr` is searched in sysDescr. `probe` is a branch in which the
    device must have something; probes tell apart what answers with one and the same sysObjectID (net-snmp's
    own, mostly). `says` is searched in the first text of that branch, where what stands there tells makes apart.
    """

    object_id: tuple[Oid, ...] = ()
    descr: Regex = ""
    probe: Oid | None = None
    says: Regex = ""
    priority: int = 0

    @model_validator(mode="after")
    def _of_a_branch(self) -> Self:
        if self.says and not self.probe:
            raise ValueError("says is searched in what stands at probe, which is missing")
        return self


class Fact(Frozen):
    """One place where a fact of identity may stand; the first that gives text wins.

    `source` says what kind of place: an instance (`oid`), the first text in a column, sysDescr, sysName, or a
    `field` of the chassis' row in ENTITY-MIB.
    `template` puts the groups of `regex` together. `mac` writes six octets as an address. `then` are instances whose
    texts follow, with dots between: a version in three numbers. `words` says what a code or an object identifier means;
    one that it does not know is no fact. `object_id` are prefixes of sysObjectID: the place is of these devices alone.
    """

    oid: Oid | None = None
    source: Literal["oid", "column", "sysDescr", "sysName", "entity"] = "oid"
    field: Literal["descr", "name", "hardware", "firmware", "software", "serial", "model"] = "model"
    regex: Regex = ""
    template: str = ""
    mac: bool = False
    then: tuple[Oid, ...] = ()
    words: dict[str, str] = {}
    object_id: tuple[Oid, ...] = ()

    @model_validator(mode="after")
    def _filled(self) -> Self:
        if self.template:
            groups = re.compile(self.regex).groups
            if not re.fullmatch(r"(?:[^{}]|\{\d{1,2}\})*", self.template):
                raise ValueError("a template has text and {0}, {1} and so on for the groups of regex")
            if any(
                int(number) >= groups
                for number in re.findall(r"\d+", "".join(_BRACED.findall(self.template)))
            ):
                raise ValueError(f"regex has {groups} groups: {{0}} is the first of them")
        return self


class Facts(Frozen):
    """Where hardware, version and serial are, best place first."""

    hardware: tuple[Fact, ...] = ()
    version: tuple[Fact, ...] = ()
    serial: tuple[Fact, ...] = ()


class Where(Frozen):
    """Keeps only the rows whose other column (same index, or a scalar) has one of these values.

    `equals` are numbers or texts; `differs` the opposite, and an absent value differs; `regex` is searched in the
    value as text. `index` takes only a part of the row's index to look the other column up: `index = [0, 1]` its
    first number. `via` is a column whose value is the index to look up with; `plus` is added to its last number.
    `at_least` and `at_most` ask how many rows the other column has, whatever they say.
    """

    oid: Oid
    equals: tuple[int | str, ...] = ()
    differs: tuple[int | str, ...] = ()
    regex: Regex = ""
    index: tuple[int, int] | None = None
    via: Oid | None = None
    plus: int = 0
    at_least: int | None = None
    at_most: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_is_many(cls, given: Any) -> Any:
        return _listed(given, "equals", "differs")


class Name(Frozen):
    """A text that stands in another column: of the row with the same index unless `index` or `via` says otherwise.

    `index = [start, end]` takes that part of the row's index, as a slice does; `via` is a column whose value (a
    number) is the index to look up with, as ifIndex is; `plus` is added to the last number of it. `words` says what
    a code or an object identifier means.
    """

    oid: Oid
    index: tuple[int, int] | None = None
    via: Oid | None = None
    plus: int = 0
    regex: Regex = ""
    words: dict[str, str] = {}


class Kinds(Frozen):
    """What each row is, by a column of codes: code = a class, or a table with class, scale and offset."""

    oid: Oid
    of: "dict[str, Kind]"

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        if isinstance(given, dict) and isinstance(given.get("of"), dict):
            of = {k: {"class": v} if isinstance(v, str) else v for k, v in given["of"].items()}
            return {**given, "of": of}
        return given


class Kind(Frozen):
    """One code of `Kinds`."""

    kind: SensorClass = Field(alias="class")
    scale: float = 1.0
    offset: float = 0.0


class Limits(Frozen):
    """Where the device says what it thinks too much and too little: columns (or scalars), or plain numbers.

    Columns hold the same raw numbers as the reading and are scaled with it; plain numbers are in the unit.
    """

    critical: Oid | float | None = None
    warning: Oid | float | None = None
    low_warning: Oid | float | None = None
    low_critical: Oid | float | None = None


class LimitRows(Frozen):
    """Limits in rows of a table of their own, several of one sensor: indexed by its index and then one more number.

    `value` is the column of raw numbers, which are scaled with the reading; those in `skip` are no limits.
    `severity` and `relation` are columns of codes: a row tells what is `critical` or a `warning` by its severity, and
    too much (`above`) or too little (`below`) by its relation. Other codes mean nothing. Of several limits of one kind
    that one counts which is reached first; of a sensor with the same codes twice none does: they do not tell.
    """

    value: Oid
    severity: Oid
    relation: Oid
    critical: tuple[int, ...]
    warning: tuple[int, ...]
    above: tuple[int, ...]
    below: tuple[int, ...]
    skip: tuple[int, ...] = ()


class Meaning(Frozen):
    """What one code of a state means: a severity and a word."""

    severity: Severity
    label: str


def _meaning(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    severity, _, label = text.partition(" ")
    return {"severity": severity, "label": label or severity}


States = dict[str, Annotated[Meaning, BeforeValidator(_meaning)]]


class Reading(Frozen):
    """A column (or scalar) of numbers; value = number * `scale` + `offset`, a `skip` number is no reading.

    `title` is what it is called; `{0}`, `{1}` in it are the `names`, `{i}` the last number of the index, `{i0}` its
    first, `{i1}` its second, `{index}` all of it, `{n}` the last where the column has several rows. `text` is short
    for one name in the same row, and `entity` takes the name from ENTITY-MIB.
    `name_regex` keeps only the rows whose description it finds, `index_ends` those whose index ends so, `where`
    those that another column keeps. `regex` finds the number in text.
    `times` is a column (or scalar) to multiply with; `exponent` one whose value n means 10^n, `precision` one whose
    value n means 10^-n, `power_of_1000` ENTITY-SENSOR-MIB's SensorDataScale (9 is units); `per` one to divide by.
    `convert` turns the unit after scaling: °F to °C, mW to dBm.
    `fallback` readings are made only where those before of the same class gave nothing; `unless` is a better object
    for the same thing: where it holds a number that is not skipped, this one is no reading. `low` and `high` are the
    bounds of what can be true.
    """

    oid: Oid
    title: str = ""
    text: Oid | None = None
    names: tuple[Name, ...] = ()
    entity: bool = False
    scale: float = 1.0
    offset: float = 0.0
    times: Oid | None = None
    per: Oid | None = None
    exponent: Oid | None = None
    precision: Oid | None = None
    power_of_1000: Oid | None = None
    convert: Literal["", "fahrenheit", "milliwatt"] = ""
    regex: Regex = ""
    name_regex: Regex = ""
    skip: tuple[int, ...] = ()
    where: tuple[Where, ...] = ()
    index_ends: int | None = None
    low: float | None = None
    high: float | None = None
    unless: Oid | None = None
    fallback: bool = False

    @model_validator(mode="before")
    @classmethod
    def _one_is_many(cls, given: Any) -> Any:
        return _listed(given, "where", "names", "skip")


class SensorReading(Reading):
    """A sensor: of one class, or of one that `kinds` tells row by row; a state says what its codes mean.

    With `bits` the codes are the bits that are set in an OCTET STRING (BITS of RFC 2578: bit 0 is the highest of the
    first octet); all that are set are told, with the worst severity, and `none` is the code where none is.
    `limits` stand in the reading's own row, `limit_rows` in a table of limits.
    """

    kind: SensorClass | None = Field(None, alias="class")
    kinds: Kinds | None = None
    states: States = {}
    bits: bool = False
    limits: Limits | None = None
    limit_rows: LimitRows | None = None
    group: str = ""

    @model_validator(mode="before")
    @classmethod
    def _meant(cls, given: Any) -> Any:
        if isinstance(given, dict) and isinstance(given.get("states"), str):
            raise ValueError(f"the file has no [meanings.{given['states']}]")
        return given

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.kind) == bool(self.kinds):
            raise ValueError("a sensor has a class, or kinds that tell it")
        if bool(self.states) != (self.kind == "state"):
            raise ValueError("a sensor of class state has states, and no other has")
        return self


class WirelessReading(Reading):
    """A reading of a radio: clients, signal, noise, rates.

    Of rows with one and the same title, `total` makes one reading, their sum, and `first` keeps the first.
    """

    kind: WirelessClass = Field(alias="class")
    total: bool = False
    first: bool = False


class Memory(Frozen):
    """Columns of one table of memory pools, or of disks; any two of total, used, free, or the percentage, are enough.

    `scale` makes bytes of the numbers, `unit` is a column (or scalar) to multiply with, `percent_scale` makes percent.
    `index_ends` keeps only the rows whose index ends so. `kind` is of storage: "recording" is written over when it is
    full, "firmware" holds what the device came with, and nobody is told how full these are.
    """

    total: Oid | None = None
    used: Oid | None = None
    free: Oid | None = None
    percent: Oid | None = None
    free_percent: Oid | None = None
    title: str = "Memory"
    text: Oid | None = None
    names: tuple[Name, ...] = ()
    entity: bool = False
    scale: float = 1.0
    unit: Oid | None = None
    regex: Regex = ""
    percent_scale: float = 1.0
    skip: tuple[int, ...] = ()
    where: tuple[Where, ...] = ()
    name_regex: Regex = ""
    index_ends: int | None = None
    fallback: bool = False
    kind: Literal["", "recording", "firmware"] = ""

    @model_validator(mode="before")
    @classmethod
    def _one_is_many(cls, given: Any) -> Any:
        return _listed(given, "where", "names", "skip")


class Part(Frozen):
    """Readings that belong together: the whole of a platform, or of one MIB that many platforms have.

    With `probe` they are read only where the device has something in one of those branches, with `unless` only where
    it has nothing in those. `builtin` are readings whose rules are more than columns: the storage table of
    HOST-RESOURCES-MIB, the supplies of Printer-MIB.
    """

    name: str = ""
    title: str = ""
    probe: tuple[Oid, ...] = ()
    unless: tuple[Oid, ...] = ()
    builtin: tuple[Builtin, ...] = ()
    cpu: tuple[Reading, ...] = ()
    memory: tuple[Memory, ...] = ()
    storage: tuple[Memory, ...] = ()
    sensors: tuple[SensorReading, ...] = ()
    wireless: tuple[WirelessReading, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _one_is_many(cls, given: Any) -> Any:
        return _listed(given, "probe", "unless", "builtin", "inherits", "without")


class SyslogPattern(Frozen):
    """A line of syslog that tells of an event. `regex` (RE2) is searched in the message after its priority.

    Its named groups are kept with the event: user, from, interface.
    """

    event: Literal["config-changed", "login", "login-failed", "link-down", "link-up", "reload"]
    regex: LineRegex


class Block(Frozen):
    """Lines of a configuration from one that `begins` up to one that `ends`, which become the one line `then`.

    Certificates and keys: many lines that say nothing to a reader, or that nobody may read. An empty `then` drops them.
    """

    begins: LineRegex
    ends: LineRegex
    then: str = ""


class Rewrite(Frozen):
    """What a line is rewritten to: `regex` (RE2) is replaced by `then`, in which \\1 is its first group."""

    regex: LineRegex
    then: str = ""


class Within(Frozen):
    """What is secret only in one section: from a line that `begins` up to one that `ends`, the groups of `regex`."""

    begins: LineRegex
    ends: LineRegex
    regex: LineRegex


class Config(Frozen):
    """How the whole configuration is read over SSH, and cleaned. Expressions are RE2, searched in one line.

    commands   said one after the other until one is not `refused`; its answer is the configuration
    driver     netmiko's device type, where not the platform's; `prepare` are lines said first
    enable     privileged mode is needed, also without a secret
    mode       how the prompt looks in configuration mode, which `leave` ends
    more       what the pager shows, if it is on in spite of all: a space asks for the next page
    begins     a line among the first forty that shows that this is a configuration
    ends       the last line of a whole one; a platform without one is read again if it says much less than before
    continued  what a line ends with that goes on in the next
    noise      lines that change by themselves, and say nothing of what is configured
    rewrite    parts of lines that change by themselves
    secrets    what of a line is secret, beside what is in every make's: all groups of each expression
    within     the same, in one section only
    salted     secrets that are written another way at each reading: what they are cannot even be compared
    author     who changed the configuration last, as the device itself says (the group `user`)
    """

    commands: tuple[str, ...] = Field(min_length=1)
    driver: str = ""
    prepare: tuple[str, ...] = ()
    enable: bool = False
    mode: Regex = ""
    leave: str = ""
    more: LineRegex = ""
    begins: LineRegex = ""
    ends: LineRegex = ""
    refused: LineRegex = ""
    continued: str = ""
    noise: tuple[LineRegex, ...] = ()
    blocks: tuple[Block, ...] = ()
    rewrite: tuple[Rewrite, ...] = ()
    secrets: tuple[LineRegex, ...] = ()
    within: tuple[Within, ...] = ()
    salted: tuple[LineRegex, ...] = ()
    author: LineRegex = ""


class Platform(Part):
    """One platform: its file's name, how it is recognised, where its facts are, and what other tools call it.

    `inherits` names files whose readings it has as well, after its own; all inherit `standard`, whose parts `without`
    leaves out by name, also for those that inherit the file. `engine`: which SNMP engine must ask it, where not the
    usual one. `meanings` are named sets of states: `states = "status"` in a sensor of the file is the set of that
    name. `syslog`: lines that tell of an event, the most telling first; inherited ones come after the file's own.
    `config`: how the configuration is read; of a file without it, that of the first inherited file that says it.
    """

    vendor: str
    title: str
    netmiko: str = ""
    ansible: str = ""
    engine: Literal["", "lean", "pysnmp"] = ""
    match: tuple[Match, ...] = ()
    facts: Facts = Facts()
    parts: tuple[Part, ...] = Field((), alias="part")
    inherits: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    meanings: dict[str, States] = {}
    syslog: tuple[SyslogPattern, ...] = ()
    config: Config | None = None

    @model_validator(mode="before")
    @classmethod
    def _named_states(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not isinstance(given.get("meanings"), dict):
            return given
        parts = [_with_states(part, given["meanings"]) for part in given.get("part", ())]
        return {**_with_states(given, given["meanings"]), **({"part": parts} if parts else {})}


def _with_states(part: Any, meanings: dict[str, Any]) -> Any:
    """Put the set of states in the place of its name; a name without a set stays, and is no set."""
    if not isinstance(part, dict) or not isinstance(part.get("sensors"), list):
        return part
    sensors = [
        {**sensor, "states": meanings.get(sensor["states"], sensor["states"])}
        if isinstance(sensor, dict) and isinstance(sensor.get("states"), str)
        else sensor
        for sensor in part["sensors"]
    ]
    return {**part, "sensors": sensors}


def _listed(given: Any, *keys: str) -> Any:
    """Let one be written where many may stand."""
    if not isinstance(given, dict):
        return given
    lone = {k: (given[k],) for k in keys if k in given and not isinstance(given[k], list | tuple)}
    return {**given, **lone}
