"""What is planned for the indicators that fall short: our proposals, and above them what the regency itself says."""

import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from report.books import Action
from siaga.errors import InvalidError
from siaga.settings import Frozen
from siaga.text import safe

PROPOSALS = Path(__file__).with_name("proposals.toml")
LIMIT = 1 << 20  # bytes of a file of actions


class _Entry(Frozen):
    """One table of the file, named by the indicator."""

    what: Annotated[str, Field(max_length=600)] = ""
    owner: Annotated[str, Field(max_length=200)] = ""
    due: date | None = None
    cost: Annotated[str, Field(pattern="^(none|low|medium|high)?$")] = ""
    quick: bool | None = None


def planned(home: Path) -> tuple[Action, ...]:
    """Return the actions of `actions.toml` in the home, over our proposals. Raises InvalidError (`bad-actions`)."""
    proposed = _read(PROPOSALS)
    said = _read(home / "actions.toml") if (home / "actions.toml").exists() else {}
    return tuple(
        _action(row, proposed.get(row, _Entry()), said.get(row)) for row in sorted({*proposed, *said})
    )


def _action(row: str, proposed: _Entry, said: _Entry | None) -> Action:
    own = said or _Entry()
    return Action(
        row=safe(row, 40),
        what=safe(own.what, 600),
        owner=safe(own.owner or proposed.owner, 200),
        due=own.due,
        cost=own.cost or proposed.cost,
        quick=bool(proposed.quick if own.quick is None else own.quick),
        own=said is not None,
    )


def _read(path: Path) -> Mapping[str, _Entry]:
    try:
        if path.stat().st_size > LIMIT:
            raise InvalidError("bad-actions", f"{path} is larger than {LIMIT} bytes.")
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
        return {row: _Entry.model_validate(entry) for row, entry in tree.items()}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidError("bad-actions", f"{path} cannot be read as TOML: {safe(error, 200)}.") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InvalidError("bad-actions", f"{path}: {safe(where, 80)}: {safe(first['msg'], 120)}.") from None
