"""What is known of the codes of goods (kode barang), read from the TOML files beside this module.

A regency's own files in <home>/bmd/*.toml stand before them: its useful lives are set by its own regulation.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, ValidationError

from siaga.errors import InvalidError
from siaga.text import safe

FOLDER = Path(__file__).parent / "bmd"


class GoodsClass(BaseModel):
    """One class. `life_years`: the useful life (masa manfaat); without one nothing is said of it here."""

    model_config = {"frozen": True, "extra": "forbid"}
    title: str
    life_years: int | None = Field(default=None, ge=1, le=100)
    depreciates: bool = True
    intangible: bool = False
    source: str = ""
    confidence: Literal["", "verified", "usual"] = ""


class File(BaseModel):
    """One TOML file: classes by the digits a code begins with, and codes by their whole number."""

    model_config = {"frozen": True, "extra": "forbid"}
    classes: Mapping[str, GoodsClass] = Field(default={}, alias="class")
    codes: Mapping[str, str] = Field(default={}, alias="code")


@dataclass(frozen=True)
class Codes:
    """The table of classes and codes."""

    classes: Mapping[str, GoodsClass]
    codes: Mapping[str, str]

    def class_of(self, code: str) -> str:
        """Return the longest class that the code lies in, '' if there is none."""
        parts = code.strip().split(".")
        begun = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
        return next((c for c in begun if c in self.classes), "")

    def life_years(self, code: str) -> int | None:
        """Return the useful life of goods with this code in years, from the narrowest class that says one."""
        found = self._said(code, "life_years")
        return found if isinstance(found, int) else None

    def depreciates(self, code: str) -> bool:
        """Return whether goods with this code lose value in the books at all."""
        known = self.class_of(code)
        return self.classes[known].depreciates if known else True

    def title(self, code: str) -> str:
        """Return what the code or the class means, '' if it is not in the table."""
        known = self.codes.get(code.strip(), "")
        return known or (self.classes[code.strip()].title if code.strip() in self.classes else "")

    def unknown(self, codes: Iterable[str]) -> list[str]:
        """Return those codes that are not in the table, once each, in order; an empty code is none."""
        given = dict.fromkeys(c.strip() for c in codes)
        return [c for c in given if c and c not in self.codes]

    def _said(self, code: str, field: str) -> object:
        parts = code.strip().split(".")
        for n in range(len(parts), 0, -1):
            known = self.classes.get(".".join(parts[:n]))
            if known is not None and getattr(known, field) is not None:
                return getattr(known, field)
        return None


def warnings(table: Codes, codes: Iterable[str]) -> list[str]:
    """Return one sentence for each code that is not in the table; the row that carries it is kept all the same."""
    return [
        f"Kode barang {safe(code, 40)} is not in the table of codes: compare it with the annex of Permendagri"
        " 108/2016, and add it to <home>/bmd/*.toml."
        for code in table.unknown(codes)
    ]


def load(home: Path | None = None) -> Codes:
    """Read the table; files in `home`/bmd stand before ours. Raises InvalidError (`bad-bmd-table`)."""
    own = sorted((home / "bmd").glob("*.toml")) if home is not None else []
    classes: dict[str, GoodsClass] = {}
    codes: dict[str, str] = {}
    for path in (*sorted(FOLDER.glob("*.toml")), *own):
        file = _read(path)
        classes.update(file.classes)
        codes.update(file.codes)
    return Codes(classes, codes)


def _read(path: Path) -> File:
    try:
        return File.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise InvalidError("bad-bmd-table", f"{path} is no table of codes of goods.", problems) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidError("bad-bmd-table", f"{path} cannot be read: {safe(error)}.") from None
