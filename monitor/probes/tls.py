"""The TLS greeting of a server, and its certificate: what it is, how long it lasts, and why it is not to be trusted.

The greeting is tried with the chain verified; if OpenSSL says no, its reason is kept and a second connection is greeted
without, because a certificate that is over must not hide whether the application behind it works. Nothing secret is
ever sent, so old protocols and weak ciphers are greeted too, and told.
"""

import asyncio
import ssl
import warnings
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from ipaddress import ip_address
from socket import socket
from typing import cast

from monitor.probes.connect import Phases, Unreached
from monitor.probes.plan import Limits
from monitor.probes.result import Certificate, Fault, Verdict
from siaga.text import safe

NAMES = 50
_OLD = ("SSLv3", "TLSv1", "TLSv1.1")
_DAY_S = 86400


@dataclass(frozen=True)
class Greeted:
    """An open TLS stream and the certificate its server showed."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    certificate: Certificate


async def greeted(
    connect: Callable[[], Awaitable[socket]], host: str, limits: Limits, phases: Phases, now: datetime
) -> Greeted:
    """Return a TLS stream over what `connect` gives. Raises Unreached when there is no TLS at all."""
    trust = context(limits.ca_file, verified=True)
    try:
        reader, writer = await _greet(await connect(), host, trust, phases)
        chain = ""
    except ssl.SSLCertVerificationError as error:
        chain = safe(error.verify_message or error.reason or "not valid", 120)
        phases.seconds.pop("connect", None)
        phases.seconds.pop("tls", None)
        trust = context(limits.ca_file, verified=False)
        try:
            reader, writer = await _greet(await connect(), host, trust, phases)
        except (ssl.SSLError, OSError) as again:
            raise _no_tls(again) from None
    except (ssl.SSLError, OSError) as error:
        raise _no_tls(error) from None
    try:
        return Greeted(reader, writer, _certificate(writer.get_extra_info("ssl_object"), host, chain, now))
    except ValueError as error:
        writer.transport.abort()
        raise Unreached("tls", f"Its certificate cannot be read ({safe(error, 120)}).") from None


async def _greet(
    sock: socket, host: str, trust: ssl.SSLContext, phases: Phases
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    with phases.timed("tls"):
        try:
            return await asyncio.open_connection(sock=sock, ssl=trust, server_hostname=host)
        except BaseException:
            sock.close()
            raise


def _no_tls(error: Exception) -> Unreached:
    if isinstance(error, ssl.SSLError):
        why = (error.reason or "no TLS").replace("_", " ").lower()
        return Unreached("tls", f"There is no TLS greeting with it ({safe(why, 80)}).")
    return Unreached("tls", "It ends the connection in the TLS greeting.")


@lru_cache(maxsize=8)
def context(ca_file: str, *, verified: bool) -> ssl.SSLContext:
    """Return how to greet: every version that OpenSSL still speaks; names are compared by `covers`."""
    found = ssl.create_default_context()
    if ca_file:
        try:
            found.load_verify_locations(ca_file)
        except OSError as error:
            why = f"The authorities in {ca_file} cannot be read ({error.strerror or error})."
            raise Unreached("ca-file", why, Verdict.unknown) from None
    found.check_hostname = False
    found.verify_mode = ssl.CERT_REQUIRED if verified else ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old versions are asked for to be told
        found.minimum_version = ssl.TLSVersion.TLSv1
    found.set_ciphers("DEFAULT:@SECLEVEL=0")
    found.options |= ssl.OP_LEGACY_SERVER_CONNECT if hasattr(ssl, "OP_LEGACY_SERVER_CONNECT") else 0
    return found


def _certificate(tls: ssl.SSLObject, host: str, chain: str, now: datetime) -> Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256

    one = x509.load_der_x509_certificate(cast(bytes, tls.getpeercert(binary_form=True)))
    names = tuple(_names(one))
    return Certificate(
        subject=safe(one.subject.rfc4514_string(), 200),
        names=tuple(safe(n, 100) for n in names),
        issuer=safe(one.issuer.rfc4514_string(), 200),
        serial=f"{one.serial_number:x}"[:64],
        not_before=one.not_valid_before_utc,
        not_after=one.not_valid_after_utc,
        days_left=(one.not_valid_after_utc - now).total_seconds() / _DAY_S,
        chain=chain,
        name_matches=covers(names, host),
        self_signed=one.issuer == one.subject,
        protocol=tls.version() or "",
        cipher=(tls.cipher() or ("",))[0],
        sha256=one.fingerprint(SHA256()).hex(),
    )


def _names(one: "object") -> Iterator[str]:
    """Yield the DNS names and addresses of a certificate's subjectAltName, at most NAMES."""
    from itertools import islice

    from cryptography import x509

    assert isinstance(one, x509.Certificate)
    try:
        names = one.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return
    kinds = (x509.DNSName, x509.IPAddress)
    yield from islice((str(n.value) for n in names if isinstance(n, kinds)), NAMES)


def covers(names: tuple[str, ...], host: str) -> bool:
    """Return whether one of a certificate's names is the host's (RFC 9525): whole, or a wildcard."""
    wanted = host.rstrip(".").lower()
    try:
        return str(ip_address(wanted)) in {str(ip_address(n)) for n in names if _is_address(n)}
    except ValueError:
        pass
    if not wanted.isascii():
        wanted = wanted.encode("idna").decode()
    _, _, parent = wanted.partition(".")
    plain = [n.rstrip(".").lower() for n in names]
    return wanted in plain or ("." in parent and f"*.{parent}" in plain)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def certificate_faults(one: Certificate, host: str, limits: Limits, now: datetime) -> Iterator[Fault]:
    """Yield what is wrong with a certificate, or with how it was greeted."""
    day = one.not_after.date().isoformat()
    if one.days_left < 0:
        yield Fault("certificate-expired", Verdict.critical, f"Its certificate ended on {day}.")
    elif one.days_left < limits.warning_days:
        bad = one.days_left < limits.critical_days
        yield Fault(
            "certificate-expires",
            Verdict.critical if bad else Verdict.warning,
            f"Its certificate ends in {one.days_left:.0f} days, on {day}.",
        )
    if one.not_before > now:
        begins = one.not_before.date().isoformat()
        yield Fault("certificate-early", Verdict.critical, f"Its certificate begins only on {begins}.")
    if not one.name_matches:
        others = ", ".join(one.names[:3]) or "no name at all"
        yield Fault(
            "certificate-name",
            Verdict.critical,
            f"Its certificate is for {others}, not for {safe(host, 80)}.",
        )
    if one.chain and one.days_left >= 0:
        yield Fault(
            "certificate-chain", Verdict.warning, f"Its certificate is not trusted here: {one.chain}."
        )
    if one.protocol in _OLD:
        yield Fault("tls-old", Verdict.warning, f"It speaks only {one.protocol} (RFC 8996: no longer).")
