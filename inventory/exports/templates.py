"""Renders templates (Jinja) from the inventory, in a sandbox: a template sees rows and can call nothing else.

What is missing is an error and not an empty line, so that no half configuration comes about. Every text of the
inventory is on one line before a template sees it: nobody's description can add a line to a configuration.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateError, TemplateNotFound
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from siaga.errors import InvalidError, NotFoundError
from siaga.text import safe

MAX_OCTETS = 64 * 2**20
_MAX_FACTOR = 10_000_000


class _Environment(ImmutableSandboxedEnvironment):
    """A sandbox that also refuses products and powers so large that they would fill the memory."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Compute a product or a power, if it stays within bounds."""
        if operator == "**" and (not _small(left, 10_000) or not _small(right, 64)):
            raise SecurityError("a power is too large")
        for one, other in ((left, right), (right, left)):
            if (
                isinstance(one, (str, list, tuple))
                and isinstance(other, int)
                and len(one) * other > _MAX_FACTOR
            ):
                raise SecurityError("a repetition is too long")
        return super().call_binop(context, operator, left, right)


def _small(number: Any, bound: int) -> bool:
    return isinstance(number, (int, float)) and abs(number) <= bound


@dataclass(frozen=True)
class Rendering:
    """One rendered text: what it is of (`name`), and the SHA-256 of its UTF-8 octets."""

    name: str
    text: str

    @property
    def octets(self) -> bytes:
        """The text in UTF-8, as it is written to a file."""
        return self.text.encode()

    @property
    def sha256(self) -> str:
        """The SHA-256 of `octets`, as 64 hex digits."""
        return hashlib.sha256(self.octets).hexdigest()


def opened(path: str) -> Template:
    """Read a template; those it includes or extends lie beside it or below.

    Raises NotFoundError (`no-such-template`), InvalidError (`bad-template`) with its line.
    """
    file = Path(path)
    environment = _Environment(
        loader=FileSystemLoader(file.parent, followlinks=False),
        undefined=StrictUndefined,
        autoescape=False,  # what comes out is a configuration or a table, no page
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found: Template = _explained(path, lambda: environment.get_template(file.name))
    return found


def rendered(template: Template, name: str, context: Mapping[str, Any]) -> Rendering:
    """Render a template for what is called `name`. Raises InvalidError (`bad-template`) that says where and why."""
    what = f"{template.name}, for {name}" if name else str(template.name)
    return Rendering(name, _explained(what, lambda: _text(template, context)))


def _text(template: Template, context: Mapping[str, Any]) -> str:
    parts, octets = [], 0
    for part in template.generate(**context):
        octets += len(part)
        if octets > MAX_OCTETS:
            raise SecurityError(f"it becomes longer than {MAX_OCTETS // 2**20} MiB")
        parts.append(part)
    return "".join(parts)


def _explained(what: str, work: Callable[[], Any]) -> Any:
    """Do `work` and turn what a template can do wrong into one sentence."""
    try:
        return work()
    except TemplateNotFound as error:
        raise NotFoundError(
            "no-such-template", f"{what}: there is no template '{safe(error.name)}'."
        ) from None
    except TemplateError as error:
        line = getattr(error, "lineno", None)  # of a mistake in the template's own text
        where = f", line {line}" if line else _at(error)
        raise InvalidError(
            "bad-template", f"{what}{where}: {safe(error.message or type(error).__name__, 400)}."
        ) from None
    except (UnicodeDecodeError, IsADirectoryError):
        raise InvalidError("bad-template", f"{what} is no text in UTF-8.") from None
    except (TypeError, ValueError, LookupError, ArithmeticError, RecursionError, MemoryError) as error:
        # What an expression of the template ran into: a number added to a text, a division by zero.
        reason = safe(str(error) or type(error).__name__, 400)
        raise InvalidError("bad-template", f"{what}{_at(error)}: {reason}.") from None


def _at(error: BaseException) -> str:
    """Return ', line …' of the template that an error came from; Jinja puts it into the traceback."""
    found, at = 0, error.__traceback__
    while at is not None:
        if "__jinja_exception__" in at.tb_frame.f_globals:
            found = at.tb_lineno
        at = at.tb_next
    return f", line {found}" if found else ""
