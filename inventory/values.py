"""Reads a cell or a `key=value` into a typed value, and says in one phrase what is wrong with it."""

import ipaddress
import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from inventory import addressing
from inventory.nouns import Attribute
from siaga.clock import JAKARTA, as_utc
from siaga.expressions import expression
from siaga.text import safe

_NAME = re.compile(r"[^\s:@,()\"'=<>!~*](?:[^:@,()\"'=<>!~*\n\r\t]*[^\s:@,()\"'=<>!~*])?")
_KEYWORDS = ("and", "or", "not")
# What nobody sees: two names that differ only in these would be one to everybody who reads them.
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff]"
)
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_VAR = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_TRUTH = {
    **dict.fromkeys(("yes", "true", "1", "1.0", "y", "ya"), True),
    **dict.fromkeys(("no", "false", "0", "0.0", "n", "tidak"), False),
}
_COUNTED = ("_bps", "_idr", "_s", "_days", "_years", "quantity", "population")
_SUFFIX = {"k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


class BadValueError(ValueError):
    """A value cannot be read; the text is a phrase that completes 'field X …', on one line whatever the value holds."""

    def __init__(self, phrase: str) -> None:
        super().__init__(safe(phrase, 600))


def read(attribute: Attribute, raw: Any) -> Any:
    """Return `raw` (text, or a cell's number or date) as the attribute's type; None or '' where it is empty.

    Raises BadValueError.
    """
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return _empty(attribute)
    if isinstance(raw, Mapping) or (isinstance(raw, (list, tuple)) and attribute.kind != "tags"):
        raise BadValueError(f"must be one value, not a {'mapping' if isinstance(raw, Mapping) else 'list'}")
    if attribute.naming in _NAMINGS:
        return _named(attribute.naming, raw)
    value = _READERS[attribute.kind](raw)
    if isinstance(value, str):
        if attribute.naming == "name" or attribute.ref or attribute.name == "target":
            value = normal(value)
        value = _canonical_mac(value) if attribute.name == "mac" and not attribute.custom else value
        _check_text(attribute, value)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        _check_number(attribute, value)
    return value


def normal(name: str) -> str:
    """Return a name in its one form: NFC, with plain spaces (a copied text has U+00A0)."""
    return name if name.isascii() else re.sub(r"[^\S\n\r\t]", " ", unicodedata.normalize("NFC", name)).strip()


def _named(naming: str, raw: Any) -> str:
    """Return the canonical text of a prefix, a range or an address; a VRF's name may follow after a space."""
    where, _, vrf = _text(raw).partition(" ")
    try:
        return f"{_NAMINGS[naming](where).text} {vrf.strip()}".strip()
    except ValueError as error:
        raise BadValueError(str(error)) from None


def _canonical_mac(text: str) -> str:
    """Return a MAC as 00:11:22:33:44:55, however a maker writes it; raises BadValueError."""
    plain = re.sub(r"[.:\-\s]", "", text).lower()
    if not re.fullmatch(r"[0-9a-f]{12}", plain):
        raise BadValueError(f"is '{text[:40]}', must be a MAC such as 00:11:22:33:44:55")
    return ":".join(plain[i : i + 2] for i in range(0, 12, 2))


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
    if attribute.pattern and not expression(attribute.pattern).fullmatch(value):
        raise BadValueError(f"is '{value}', must look like {attribute.pattern}")
    check = _CHECKS.get(attribute.name)
    if attribute.naming == "name":
        _check_name(value)
    elif check and not attribute.ref and not attribute.custom:
        check(value)


def _check_number(attribute: Attribute, value: float) -> None:
    low, high = attribute.low, attribute.high
    if attribute.name.endswith("_port") and low is None:
        low, high = 1, 65535
    if (low is not None and value < low) or (high is not None and value > high):
        bounds = (
            f"from {low:g}"
            if high is None
            else f"to {high:g}"
            if low is None
            else f"from {low:g} to {high:g}"
        )
        raise BadValueError(f"is {value:g}, must be {bounds}")
    if attribute.name.endswith(_COUNTED) and not 0 <= value < 2**63:
        raise BadValueError(f"is {value}, must be from 0 to 2^63-1")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise BadValueError("is too large a number")


def _text(raw: Any) -> str:
    if isinstance(raw, float) and raw.is_integer():
        return str(int(raw))  # a workbook turns 2019 into 2019.0
    if isinstance(raw, datetime):
        return raw.date().isoformat()
    return str(raw).strip()


def _int(raw: Any) -> int:
    if isinstance(raw, (int, float)):
        if not math.isfinite(raw) or raw != int(raw):
            raise BadValueError(f"is {raw}, must be a whole number")
        return int(raw)
    text = str(raw).strip().lower()
    match = re.fullmatch(r"(-?[0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)(?:bps|bit/s)?", text)
    if not match:
        raise BadValueError(f"is '{text[:40]}', must be a whole number (50M is 50000000)")
    if "." not in match[1]:
        return int(match[1][:40]) * _SUFFIX.get(match[2], 1)
    number = float(match[1]) * _SUFFIX.get(match[2], 1)
    if not math.isfinite(number) or number != int(number):
        raise BadValueError(f"is '{text[:40]}', must be a whole number")
    return int(number)


def _bool(raw: Any) -> bool:
    text = str(raw).strip().lower()
    if text not in _TRUTH:
        raise BadValueError(f"is '{text[:40]}', must be yes or no")
    return _TRUTH[text]


def _float(raw: Any) -> float:
    text = str(raw).strip().replace(",", ".")
    # float() would also take 1_000, nan and the digits of other scripts.
    plain = re.fullmatch(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?", text)
    number = float(text) if plain else math.nan
    if not math.isfinite(number):
        raise BadValueError(f"is '{str(raw)[:40]}', must be a number")
    return number


def _date(raw: Any) -> date:
    if isinstance(raw, datetime):
        return raw.date()
    if isinstance(raw, date):
        return raw
    if _YEAR.fullmatch(_text(raw)):
        raise BadValueError(
            f"is the year {_text(raw)} alone, must be a date such as {_text(raw)}-12-31"
            ' (a column map reads years: formats.FIELD = "year" makes 1 January of them)'
        )
    try:
        return date.fromisoformat(str(raw).strip())
    except ValueError:
        raise BadValueError(f"is '{str(raw)[:40]}', must be a date such as 2026-12-31") from None


def _time(raw: Any) -> datetime:
    """Return a moment as aware UTC; one without a zone is taken as written in the regency (Asia/Jakarta)."""
    try:
        found = raw if isinstance(raw, datetime) else datetime.fromisoformat(str(raw).strip())
    except ValueError:
        sentence = f"is '{str(raw)[:40]}', must be a time such as 2026-12-31 08:30"
        raise BadValueError(sentence) from None
    return as_utc(found if found.tzinfo else found.replace(tzinfo=ZoneInfo(JAKARTA)))


def _tags(raw: Any) -> str:
    words = [str(w) for w in raw] if isinstance(raw, (list, tuple)) else str(raw).replace(",", " ").split()
    for word in words:
        if not _TAG.fullmatch(word):
            raise BadValueError(f"holds '{word}': a tag is letters, digits, dots and hyphens")
    return " ".join(dict.fromkeys(words))


def variable_name(name: str) -> str:
    """Return `name` if it can be a variable of Ansible; raises BadValueError."""
    if not _VAR.fullmatch(name):
        raise BadValueError(f"holds '{name}', which is no variable's name: letters, digits and underscores")
    return name


def _check_name(value: str) -> None:
    if not _NAME.fullmatch(value):
        raise BadValueError(
            f"is '{safe(value, 80)}': a name is one line without leading or trailing space and without"
            " : @ , ( ) \" ' = < > ! ~ *"
        )
    if hidden := _INVISIBLE.search(value):
        raise BadValueError(
            f"is '{safe(value, 80)}' with an invisible character in it (U+{ord(hidden[0]):04X})"
        )
    if value.lower() in _KEYWORDS:
        raise BadValueError(f"is '{value}', which is a word of the selectors")


def _check_address(value: str) -> None:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        raise BadValueError(f"is '{value}', must be an IPv4 or IPv6 address") from None


def _check_url(value: str) -> None:
    if re.match(r"[a-z]+://[^/?#]*:[^/?#]*@", value):
        raise BadValueError("holds a password, which belongs in no URL")
    if not re.fullmatch(r"(https?|tcp|tls|dns)://[^\s\"'<>]+", value):
        raise BadValueError(f"is '{value}', must begin with http:// or https:// (or tcp://, tls://, dns://)")


def _check_expect(value: str) -> None:
    from siaga.expressions import expression

    try:
        expression(value)
    except ValueError as error:
        raise BadValueError(f"is '{safe(value, 80)}', no regular expression of RE2 ({error})") from None


def _check_status(value: str) -> None:
    if not re.fullmatch(r"[1-5]\d\d(-[1-5]\d\d)?(, ?[1-5]\d\d(-[1-5]\d\d)?)*", value):
        raise BadValueError(f"is '{safe(value, 80)}', must be HTTP statuses such as 200-299,401")


def _check_noun(value: str) -> None:
    from inventory.nouns import nouns

    if value not in nouns():
        raise BadValueError(f"is '{value}', must be one of {', '.join(nouns())}")


def _check_email(value: str) -> None:
    if not re.fullmatch(r"[^@\s\"'<>,;]+@[^@\s\"'<>,;]+", value):
        raise BadValueError(f"is '{value}', must be an address such as budi@example.go.id")


_CHECKS = {
    "address": _check_address,
    "url": _check_url,
    "expect": _check_expect,
    "expect_status": _check_status,
    "email": _check_email,
    "target_noun": _check_noun,
    "noun": _check_noun,
}
_NAMINGS = {"cidr": addressing.cidr, "range": addressing.span, "address": addressing.address}
_READERS = {
    "text": _text,
    "ref": _text,
    "bool": _bool,
    "int": _int,
    "float": _float,
    "date": _date,
    "time": _time,
    "tags": _tags,
}
