"""Reads a cell or a `key=value` into a typed value, and says in one phrase what is wrong with it."""

import ipaddress
import re
from datetime import date, datetime
from typing import Any

from inventory.nouns import Attribute

_NAME = re.compile(r"[^\s:@,()\"'=<>!~](?:[^:@,()\"'=<>!~\n\r\t]*[^\s:@,()\"'=<>!~])?")
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_VAR = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_TRUTH = {
    **dict.fromkeys(("yes", "true", "1", "1.0", "y", "ya"), True),
    **dict.fromkeys(("no", "false", "0", "0.0", "n", "tidak"), False),
}
_SUFFIX = {"k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


class BadValueError(ValueError):
    """A value cannot be read; the text is a phrase that completes 'field X …'."""


def read(attribute: Attribute, raw: Any) -> Any:
    """Return `raw` (text, or a cell's number or date) as the attribute's type; None or '' where it is empty.

    Raises BadValueError.
    """
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return _empty(attribute)
    value = _READERS[attribute.kind](raw)
    if isinstance(value, str):
        _check_text(attribute, value)
    if isinstance(value, int):
        _check_number(attribute.name, value)
    return value


def _empty(attribute: Attribute) -> Any:
    if attribute.required:
        raise BadValueError("must not be empty")
    return "" if attribute.kind in ("text", "tags") and not attribute.ref else None


def _check_text(attribute: Attribute, value: str) -> None:
    if len(value) > attribute.limit:
        raise BadValueError(f"is longer than {attribute.limit} characters")
    if _CONTROL.search(value):
        raise BadValueError("holds control characters")
    if attribute.choices and value not in attribute.choices:
        raise BadValueError(f"is '{value}', must be one of {', '.join(c for c in attribute.choices if c)}")
    check = _CHECKS.get(attribute.name)
    if check and not attribute.ref:
        check(value)


def _check_number(name: str, value: int) -> None:
    if name.endswith("_port") and not 1 <= value <= 65535:
        raise BadValueError(f"is {value}, must be a port from 1 to 65535")
    if name.endswith(("_bps", "_idr", "_s", "_days")) and not 0 <= value < 2**63:
        raise BadValueError(f"is {value}, must be from 0 to 2^63-1")


def _text(raw: Any) -> str:
    if isinstance(raw, float) and raw.is_integer():
        return str(int(raw))  # a workbook turns 2019 into 2019.0
    if isinstance(raw, datetime):
        return raw.date().isoformat()
    return str(raw).strip()


def _int(raw: Any) -> int:
    if isinstance(raw, (int, float)):
        if raw != int(raw):
            raise BadValueError(f"is {raw}, must be a whole number")
        return int(raw)
    text = str(raw).strip().lower()
    match = re.fullmatch(r"(-?\d+(?:\.\d+)?)\s*([kmgt]?)(?:bps|bit/s)?", text)
    if not match:
        raise BadValueError(f"is '{text[:40]}', must be a whole number (50M is 50000000)")
    number = float(match[1]) * _SUFFIX.get(match[2], 1)
    if number != int(number):
        raise BadValueError(f"is '{text}', must be a whole number")
    return int(number) if match[2] or "." in match[1] else int(match[1])


def _bool(raw: Any) -> bool:
    text = str(raw).strip().lower()
    if text not in _TRUTH:
        raise BadValueError(f"is '{text[:40]}', must be yes or no")
    return _TRUTH[text]


def _float(raw: Any) -> float:
    try:
        return float(str(raw).strip().replace(",", "."))
    except ValueError:
        raise BadValueError(f"is '{str(raw)[:40]}', must be a number") from None


def _date(raw: Any) -> date:
    if isinstance(raw, datetime):
        return raw.date()
    if isinstance(raw, date):
        return raw
    try:
        return date.fromisoformat(str(raw).strip())
    except ValueError:
        raise BadValueError(f"is '{str(raw)[:40]}', must be a date such as 2026-12-31") from None


def _tags(raw: Any) -> str:
    words = str(raw).replace(",", " ").split()
    for word in words:
        if not _TAG.fullmatch(word):
            raise BadValueError(f"holds '{word}': a tag is letters, digits, dots and hyphens")
    return " ".join(dict.fromkeys(words))


def variable_name(name: str) -> str:
    """Return `name` if it can be a variable of Ansible; raises BadValueError."""
    if not _VAR.fullmatch(name):
        raise BadValueError(f"'{name}' cannot be a variable's name: letters, digits and underscores")
    return name


def _check_name(value: str) -> None:
    if not _NAME.fullmatch(value):
        raise BadValueError(
            f"is '{value}': a name has no leading or trailing space and none of : @ , ( ) \" ' = < > ! ~"
        )


def _check_address(value: str) -> None:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        raise BadValueError(f"is '{value}', must be an IPv4 or IPv6 address") from None


def _check_url(value: str) -> None:
    if not re.fullmatch(r"https?://[^\s\"'<>]+", value):
        raise BadValueError(f"is '{value}', must begin with http:// or https://")


_CHECKS = {"name": _check_name, "address": _check_address, "url": _check_url}
_READERS = {
    "text": _text,
    "ref": _text,
    "bool": _bool,
    "int": _int,
    "float": _float,
    "date": _date,
    "tags": _tags,
}
