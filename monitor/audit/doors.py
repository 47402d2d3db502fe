"""Tries the doors of one address: SSH, Telnet, HTTP, HTTPS. Each is open, closed, or nobody knows.

What answers is hostile: of each at most some kilobytes are read, and the whole look ends in time. Nothing is sent that
changes anything: the identification of SSH, nothing at all to Telnet, one GET of / to HTTP, a TLS greeting.
"""

import asyncio
import re
import ssl
import warnings
from dataclasses import dataclass, field

from monitor.audit.kexinit import NotSshError, Offer, offered
from siaga.text import decoded, safe

_WORDS = 512  # octets of a Telnet server's first words
_PAGE = 8 << 10
_TELNET_S = 2.0
OPEN, CLOSED, UNKNOWN = "open", "closed", "unknown"


@dataclass(frozen=True)
class Ports:
    """Where the doors are."""

    ssh: int = 22
    telnet: int = 23
    http: tuple[int, ...] = (80,)
    https: tuple[int, ...] = (443,)


@dataclass(frozen=True)
class Page:
    """What a plain HTTP server said: its status, where it leads, what it says it is. All safe to show."""

    port: int
    status: int
    location: str = ""
    server: str = ""

    @property
    def leads_on(self) -> bool:
        """Whether it only leads to HTTPS."""
        return 300 <= self.status < 400 and self.location.startswith("https://")


@dataclass(frozen=True)
class Doors:
    """What one address showed. `states`: door → open, closed or unknown; `told`: what a door said, safe to show."""

    address: str
    states: dict[str, str] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)
    ssh: Offer | None = None
    rsa_bits: int | None = None
    pages: tuple[Page, ...] = ()
    old_tls: tuple[str, ...] = ()  # such as 'TLSv1.1 at 443'

    @property
    def silent(self) -> bool:
        """Whether nothing answered at all, not even with a refusal."""
        return not self.states or set(self.states.values()) == {UNKNOWN}


async def tried(address: str, ports: Ports, timeout_s: float, look_s: float) -> Doors:
    """Return what one address shows, within `look_s`; never raises for what it says."""
    found = Doors(address)
    looks = [
        _ssh(found, ports.ssh, timeout_s),
        _telnet(found, ports.telnet, timeout_s),
        *(_http(found, p, timeout_s) for p in ports.http),
        *(_https(found, p, timeout_s) for p in ports.https),
    ]
    tasks = [asyncio.ensure_future(look) for look in looks]
    _, late = await asyncio.wait(tasks, timeout=look_s)
    for task in late:
        task.cancel()
    parts = [r for r in await asyncio.gather(*tasks, return_exceptions=True) if isinstance(r, Doors)]
    return _settled(_merged(found, parts))


def _merged(first: Doors, parts: list[Doors]) -> Doors:
    states: dict[str, str] = {}
    told: dict[str, str] = {}
    for one in parts:
        for door, state in one.states.items():  # of several ports one is enough to be open
            states[door] = state if OPEN not in (states.get(door), state) else OPEN
        told |= one.told
    return Doors(
        first.address,
        states,
        told,
        next((p.ssh for p in parts if p.ssh), None),
        next((p.rsa_bits for p in parts if p.rsa_bits), None),
        tuple(page for p in parts for page in p.pages),
        tuple(old for p in parts for old in p.old_tls),
    )


def _settled(found: Doors) -> Doors:
    """A host that answers at one door has shut those at which nothing comes; of one that is silent nobody knows."""
    if found.silent:
        return found
    states = {d: CLOSED if s == UNKNOWN and d not in found.told else s for d, s in found.states.items()}
    return Doors(found.address, states, found.told, found.ssh, found.rsa_bits, found.pages, found.old_tls)


async def _state(door: str, error: BaseException, found: Doors) -> Doors:
    refused = isinstance(error, ConnectionRefusedError)
    return Doors(found.address, {door: CLOSED if refused else UNKNOWN})


async def _ssh(found: Doors, port: int, timeout_s: float) -> Doors:
    try:
        offer = await offered(found.address, port, timeout_s)
    except NotSshError as error:
        return Doors(found.address, {"ssh": OPEN}, {"ssh": str(error)})
    except (OSError, TimeoutError) as error:
        return await _state("ssh", error, found)
    bits = None
    if any("rsa" in k for k in offer.host_keys):
        from monitor.audit.host_key import rsa_bits

        bits = await rsa_bits(found.address, port, timeout_s)
    return Doors(found.address, {"ssh": OPEN}, {"ssh": offer.software}, offer, bits)


async def _telnet(found: Doors, port: int, timeout_s: float) -> Doors:
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(found.address, port, limit=_WORDS)
    except (OSError, TimeoutError) as error:
        return await _state("telnet", error, found)
    try:
        async with asyncio.timeout(min(timeout_s, _TELNET_S)):
            words = await reader.read(_WORDS)
    except (OSError, TimeoutError):
        words = b""
    finally:
        writer.transport.abort()
    return Doors(found.address, {"telnet": OPEN}, {"telnet": spoken(words)})


def spoken(words: bytes) -> str:
    """Return what a Telnet server said, without its options (RFC 854), safe to show."""
    plain = re.sub(rb"\xff[\xfb-\xfe].|\xff\xfa.*?\xff\xf0|\xff.", b"", words, flags=re.DOTALL)
    return decoded(plain.replace(b"\0", b""), 120)


async def _http(found: Doors, port: int, timeout_s: float) -> Doors:
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(found.address, port, limit=_PAGE)
    except (OSError, TimeoutError) as error:
        return await _state("http", error, found)
    try:
        async with asyncio.timeout(timeout_s):
            host = f"[{found.address}]" if ":" in found.address else found.address
            writer.write(f"GET / HTTP/1.0\r\nHost: {host}\r\nUser-Agent: siaga-audit\r\n\r\n".encode())
            await writer.drain()
            head = await _head(reader)
    except (OSError, TimeoutError, ValueError):
        head = b""
    finally:
        writer.transport.abort()
    page = page_of(head, port)
    if page is None:
        return Doors(found.address, {"http": CLOSED}, {"http": "It speaks no HTTP."})
    return Doors(found.address, {"http": CLOSED if page.leads_on else OPEN}, {}, pages=(page,))


async def _head(reader: asyncio.StreamReader) -> bytes:
    """Return the head of an answer, at most a page of it."""
    head = b""
    while len(head) < _PAGE and b"\r\n\r\n" not in head:
        part = await reader.read(_PAGE - len(head))
        if not part:
            break
        head += part
    return head


def page_of(head: bytes, port: int) -> Page | None:
    """Return what the head of an answer says; None if it is none of HTTP."""
    lines = head.partition(b"\r\n\r\n")[0].split(b"\r\n")
    found = re.match(rb"HTTP/\d(?:\.\d)? (\d{3})(?: |$)", lines[0])
    if not found:
        return None
    fields: dict[bytes, bytes] = {}
    for line in lines[1:50]:
        name, _, value = line.partition(b":")
        fields.setdefault(name.strip().lower(), value.strip())
    location, server = (decoded(fields.get(n, b""), 200) for n in (b"location", b"server"))
    return Page(port, int(found[1]), location, safe(server, 80))


async def _https(found: Doors, port: int, timeout_s: float) -> Doors:
    try:
        if await greets(found.address, port, timeout_s, newest=None) is None:
            return Doors(found.address, {"https": CLOSED}, {"https": "It speaks no TLS."})
        old = await greets(found.address, port, timeout_s, newest=ssl.TLSVersion.TLSv1_1)
    except (OSError, TimeoutError) as error:
        return await _state("https", error, found)
    return Doors(found.address, {"https": OPEN}, old_tls=(f"{old} at {port}",) if old else ())


async def greets(
    address: str, port: int, timeout_s: float, *, newest: ssl.TLSVersion | None, name: str = ""
) -> str | None:
    """Return the version that a TLS greeting with nothing newer comes to, None if there is none of it.

    Nothing is trusted and nothing is sent. Raises OSError and TimeoutError where nobody takes the connection.
    """
    async with asyncio.timeout(timeout_s):
        reader, writer = await asyncio.open_connection(address, port)
        try:
            await writer.start_tls(_context(newest), server_hostname=name or None)
            tls = writer.get_extra_info("ssl_object")
            return str(tls.version()) if tls else None
        except (ssl.SSLError, ConnectionError, EOFError):
            return None
        finally:
            writer.transport.abort()
            del reader


def _context(newest: ssl.TLSVersion | None) -> ssl.SSLContext:
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    found.check_hostname = False
    found.verify_mode = ssl.CERT_NONE
    found.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old versions are asked for to be told
        found.minimum_version = ssl.TLSVersion.TLSv1
        if newest is not None:
            found.maximum_version = newest
    return found
