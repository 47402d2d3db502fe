"""Strict comparison of what was found with what a recording's expected.json says."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

EXACT = (
    "ifIndex",
    "ifName",
    "ifAdminStatus",
    "ifOperStatus",
    "speed_bps",
    "in_octets",
    "out_octets",
    "octets_bits",
)


def normal(text: object) -> str:
    """Return a platform's name without case and punctuation."""
    return re.sub(r"[^a-z0-9]+", "", str(text).lower())


def names_of(expected: Mapping[str, Any], aliases: Mapping[str, Any]) -> set[str]:
    """Return the names under which the expected platform goes."""
    own = expected["os"]
    return {normal(n) for n in (own, expected.get("os_text") or own, *aliases.get(own, {}).get("names", []))}


def differences(
    expected: Mapping[str, Any], found: Mapping[str, Any], aliases: Mapping[str, Any]
) -> Iterator[str]:
    """Yield every way in which the finding is not the expectation: platform, set of ports, fields of ports."""
    if expected.get("os") and normal(found["os"]) not in names_of(expected, aliases):
        yield f"os is {found['os']!r}, not {expected['os']!r}"
    wanted = {p["ifIndex"]: p for p in expected["ports"]}
    got = {p["ifIndex"]: p for p in found["ports"]}
    if wanted.keys() != got.keys():
        yield f"ports missing {sorted(wanted.keys() - got.keys())}, more {sorted(got.keys() - wanted.keys())}"
    for index in wanted.keys() & got.keys():
        for key in EXACT:
            want = wanted[index].get(key)
            if want is not None and got[index][key] != (want.strip() if isinstance(want, str) else want):
                yield f"port {index}: {key} is {got[index][key]!r}, not {want!r}"
