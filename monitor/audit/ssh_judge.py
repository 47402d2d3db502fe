"""Which of an SSH server's algorithms, and which host key, must not be any more. Pure; what is weak is in weak.toml."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from inventory.findings import rank
from monitor.audit.kexinit import Offer

_FILE = Path(__file__).with_name("weak.toml")
_TITLES = {"kex": "key exchange", "host_keys": "host key", "ciphers": "cipher", "macs": "MAC"}
LEAST_RSA_BITS = 2048
_GOOD_RSA_BITS = 3072


@dataclass(frozen=True)
class Weak:
    """One weak algorithm: of which kind, and how bad."""

    kind: str
    name: str
    severity: str


def weak(offer: Offer) -> list[Weak]:
    """Return what is weak in an offer, the worst first."""
    found = [
        Weak(_TITLES[kind], name, severity)
        for kind, patterns in _table().items()
        for name in getattr(offer, kind)
        if (severity := _severity(name, patterns))
    ]
    return sorted(found, key=lambda w: rank(w.severity))


def _severity(name: str, patterns: Mapping[str, str]) -> str:
    return next((severity for pattern, severity in patterns.items() if fnmatchcase(name, pattern)), "")


def weak_keys(offer: Offer, rsa_bits: int | None) -> Iterator[tuple[str, str]]:
    """Yield severity and sentence for each host key that is too weak; `rsa_bits`: of its RSA key, if it showed one."""
    kinds = {k.partition("-cert-")[0] for k in offer.host_keys}
    if kinds and kinds <= {"ssh-dss"}:
        yield "high", "Its only host key is DSA, of 1024 bits."
    if kinds and kinds <= {"ssh-rsa", "ssh-dss"} and "ssh-rsa" in kinds:
        yield "medium", "It signs with SHA-1 only (ssh-rsa, and none of rsa-sha2-256 and rsa-sha2-512)."
    if rsa_bits is not None and rsa_bits < LEAST_RSA_BITS:
        yield "high", f"Its RSA host key has {rsa_bits} bits, and should have {_GOOD_RSA_BITS}."


@cache
def _table() -> Mapping[str, Mapping[str, str]]:
    found: Mapping[str, Mapping[str, str]] = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return found
