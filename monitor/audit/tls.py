"""How good the TLS of an agency's service is, as one letter, and how long its certificate lasts. Pure but for `old`.

A  TLS 1.2 or 1.3 with keys of the moment, a certificate that is trusted and lasts
B  without keys of the moment (no forward secrecy), or with less than a month left
C  versions that are given up (RFC 8996: SSL, TLS 1.0 and 1.1) are still taken
T  the certificate is not trusted: signed by itself, by somebody unknown, or for another name
F  the certificate is over, or not yet begun
"""

import ssl
from collections.abc import Iterator, Sequence
from datetime import datetime
from urllib.parse import urlsplit

from inventory.findings import Judged, Key, Verdict
from monitor.audit.doors import greets
from monitor.audit.judge import SOURCE
from monitor.probes.result import Certificate, Probed

_OLD = ("SSLv3", "TLSv1", "TLSv1.1")
_SEVERITY = {"A": "", "B": "low", "C": "medium", "T": "high", "F": "critical"}
_ARTICLE = "33(2)k"
_SOON_DAYS, _NOW_DAYS = 30, 7


def grade(seen: Certificate, old: str | None) -> tuple[str, tuple[str, ...]]:
    """Return the letter and what it is for; `old`: a given-up version that was taken too, if any."""
    over = seen.days_left < 0 or seen.not_before > seen.not_after
    untrusted = [why for why in (seen.chain, "" if seen.name_matches else "it is for another name") if why]
    versions = [v for v in (old, seen.protocol if seen.protocol in _OLD else None) if v]
    kept = seen.protocol == "TLSv1.2" and not seen.cipher.startswith(("ECDHE-", "DHE-"))
    found = (
        ("F", ["the certificate is over"] if over else []),
        ("T", [f"the certificate is not trusted: {why}" for why in untrusted]),
        ("C", [f"it takes {v}" for v in dict.fromkeys(versions)]),
        ("B", ["no forward secrecy"] if kept else []),
        ("B", [f"{seen.days_left:.0f} days left"] if 0 <= seen.days_left < _SOON_DAYS else []),
    )
    reasons = [(letter, why) for letter, whys in found for why in whys]
    letter = reasons[0][0] if reasons else "A"
    return letter, tuple(why for _, why in reasons)


def judged(probed: Probed, old: str | None, tried: bool, now: datetime) -> Iterator[Judged]:
    """Yield the answers on one service: its grade, and when its certificate ends. `tried`: older versions were."""
    seen = probed.certificate
    keys = {name: Key(SOURCE, name, None, f"service {probed.name}") for name in ("tls-grade", "tls-expiry")}
    if seen is None:
        yield from (Judged(k, Verdict.unknown) for k in keys.values())
        return
    letter, why = grade(seen, old)
    good = Verdict.met if tried else Verdict.unknown
    verdict = good if letter == "A" else Verdict.broken
    title = f"The TLS of {probed.name} is graded {letter}."
    yield Judged(
        keys["tls-grade"], verdict, _SEVERITY[letter] or "low", title, "; ".join(why), _ARTICLE, why, now
    )
    yield _expiry(keys["tls-expiry"], probed.name, seen, now)


def _expiry(key: Key, name: str, seen: Certificate, now: datetime) -> Judged:
    days = seen.days_left
    if days >= _SOON_DAYS:
        return Judged(key, Verdict.met)
    severity = "critical" if days < 0 else "high" if days < _NOW_DAYS else "medium"
    when = f"ended {-days:.0f} days ago" if days < 0 else f"ends in {days:.0f} days"
    evidence = (f"{seen.subject}, until {seen.not_after:%Y-%m-%d}, SHA-256 {seen.sha256[:16]}…",)
    return Judged(
        key,
        Verdict.broken,
        severity,
        f"The certificate of {name} {when}.",
        evidence[0],
        _ARTICLE,
        evidence,
        now,
    )


async def old(target: str, address: str, timeout_s: float) -> tuple[bool, str | None]:
    """Tell whether older versions could be tried at a URL (https://host:8443, tls://host:636), and which is taken.

    `address` is the one at which the service was just asked: no name is looked up again, and no other host is met.
    """
    parts = urlsplit(target)
    host, port = parts.hostname or "", parts.port or 443
    try:
        return True, await greets(address or host, port, timeout_s, newest=ssl.TLSVersion.TLSv1_1, name=host)
    except (OSError, TimeoutError, ValueError):
        return False, None


def speaks_tls(probed: Sequence[Probed]) -> list[Probed]:
    """Return the services that are asked over TLS."""
    return [p for p in probed if p.certificate or p.target.startswith(("https://", "tls://"))]
