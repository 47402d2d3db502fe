"""What a file of rules may say: for which platforms it is, how their configurations are written, and the rules.

    must_have      each pattern is found in some line
    must_not_have  no pattern is found in any line
    only           what a pattern's group `value` holds is nothing but what the inventory says (a parameter)

Patterns are regular expressions of one line. `{ntp_servers}` in one stands for a parameter: its value as it stands, and
for a list, each of its values in turn. What the inventory does not say makes a rule's answer unknown.
"""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, model_validator

from inventory.findings import SEVERITIES
from monitor.compliance.sections import Dialect
from siaga.expressions import prompt

PARAMETER = re.compile(r"\{([a-z][a-z0-9_]{0,62})\}")
Name = Annotated[str, StringConstraints(pattern="^[a-z0-9][a-z0-9-]{0,62}$")]
ParameterName = Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]{0,62}$")]


def _readable(pattern: str) -> str:
    prompt(PARAMETER.sub("x", pattern))
    if len(pattern) > 300:
        raise ValueError("a pattern has at most 300 characters")
    return pattern


Pattern = Annotated[str, AfterValidator(_readable)]


class _Frozen(BaseModel):
    model_config = {"frozen": True, "extra": "forbid"}


class Only(_Frozen):
    """What the group `value` of `regex` holds must be among the values of `param`.

    `kind`: text, as it stands; numbers, a list such as 10,20-29 or 10 20 to 29, or all.
    """

    regex: Pattern
    param: ParameterName
    kind: Literal["text", "numbers"] = "text"

    @model_validator(mode="after")
    def _grouped(self) -> Self:
        if "(?P<value>" not in self.regex:
            raise ValueError("the regex needs a group (?P<value>…)")
        return self


class Mend(_Frozen):
    """The playbook that mends it, and its parameters; a text that is only `{name}` is that parameter as it is."""

    playbook: Name
    params: dict[str, str | int | bool | list[str]] = {}


class Rule(_Frozen):
    """One rule. `roles`: of which devices; none: of all. `when`: only where this is found (in `when_section`, if any).

    `section`: patterns of the headers from outside in; nothing: the lines at the top; `any_line`: all lines, wherever
    they stand. `each`: every such section must comply, else one is enough. `missing`: the answer where there is no
    such section.
    """

    name: Name
    title: str = Field(min_length=8, max_length=120)
    severity: Literal["critical", "high", "medium", "low"]
    article: str = Field("", pattern=r"^(33\([12]\)[a-l])?$")
    why: str = Field("", max_length=400)
    roles: tuple[str, ...] = ()
    when: Pattern = ""
    when_section: tuple[Pattern, ...] = ()
    section: tuple[Pattern, ...] = ()
    each: bool = True
    any_line: bool = False
    missing: Literal["broken", "met", "unknown"] = "broken"
    must_have: tuple[Pattern, ...] = ()
    must_not_have: tuple[Pattern, ...] = ()
    only: tuple[Only, ...] = ()
    mend: Mend | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.must_have or self.must_not_have or self.only):
            raise ValueError("a rule says must_have, must_not_have or only")
        assert self.severity in SEVERITIES
        return self

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters that it takes from the inventory, by name."""
        texts = (*self.section, *self.must_have, *self.must_not_have, *(o.regex for o in self.only))
        found = [m[1] for text in texts for m in PARAMETER.finditer(text)]
        return tuple(dict.fromkeys((*found, *(o.param for o in self.only))))


class RuleFile(_Frozen):
    """One file. `whole`: what some line of a whole configuration matches; without it nothing is proven.

    `mend` is for those of its rules that say none of their own.
    """

    platforms: tuple[str, ...] = Field(min_length=1)
    dialect: Dialect
    whole: Pattern
    mend: Mend | None = None
    rule: tuple[Rule, ...] = Field(min_length=1)
