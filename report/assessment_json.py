"""An assessment as JSON and back: the same assessment gives the same bytes."""

import json
from dataclasses import asdict
from datetime import date
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from report.assessment import Assessment
from siaga.errors import InvalidError

SCHEMA = "siaga-assessment-1"


def as_json(assessment: Assessment) -> bytes:
    """Return the assessment as JSON: keys in the order of the fields, two spaces, dates ISO 8601, UTF-8."""
    tree = {"schema": SCHEMA, **as_tree(assessment)}
    return (json.dumps(tree, ensure_ascii=False, indent=2, default=_day) + "\n").encode()


def as_tree(assessment: Assessment) -> dict[str, Any]:
    """Return the assessment as plain values, without the one before it: that one has a file of its own."""
    tree = asdict(assessment)
    tree.pop("previous")
    return tree


def _day(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no value of an assessment")


def from_json(data: bytes) -> Assessment:
    """Read an assessment. Raises InvalidError (`bad-assessment`)."""
    try:
        tree = json.loads(data)
        if not isinstance(tree, dict) or tree.pop("schema", "") != SCHEMA:
            raise ValueError
        found: Assessment = _adapter().validate_python(tree)
        return found
    except (ValueError, ValidationError):
        raise InvalidError("bad-assessment", f"This is no assessment of the schema {SCHEMA}.") from None


@cache
def _adapter() -> TypeAdapter[Assessment]:
    return TypeAdapter(Assessment)
