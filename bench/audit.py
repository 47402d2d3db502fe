"""What `siaga audit` costs: addresses a second and processor seconds, as a whole process, on the loopback.

    python -m bench.audit [--addresses 200] [--base 127.84.20.0]

Each address offers SSH with algorithms old and new, a page over plain HTTP, a Telnet greeting, and an SNMP agent that
answers no guess; another process serves them all. The default pace (200 guesses a second over all) and its highest
are measured, for the pace is what an audit waits for, and manners are what it is for.
"""

import argparse
import asyncio
import os
import struct
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path

from bench.measure import child, load, machine, table
from inventory.database import initialise
from inventory.history import Author
from inventory.store import open_engine, session
from inventory.writing import Writer
from siaga.clock import utc_now
from siaga.settings import Settings

SSH, HTTP, TELNET, SNMP = 24_610, 24_611, 24_612, 24_613
CLOSED = 24_614
PACES = (200, 10_000)
SIAGA = (sys.executable, "-P", "-m", "cli")
ENDED = (6, 7)  # findings are open; something was not found out


def addresses(base: str, number: int) -> list[str]:
    """Return so many addresses from a base on."""
    return [str(IPv4Address(base) + 1 + n) for n in range(number)]


# --- who is looked at ----------------------------------------------------------------------------------------------


def offer() -> bytes:
    """Return SSH's identification and its first packet (RFC 4253, sections 4.2 and 7.1)."""
    kex, ciphers = "curve25519-sha256,diffie-hellman-group1-sha1", "aes256-ctr,3des-cbc"
    lists = (
        kex,
        "ssh-ed25519,ssh-dss",
        *(ciphers,) * 2,
        *("hmac-sha2-256,hmac-md5",) * 2,
        "none",
        "none",
        "",
        "",
    )
    names = b"".join(struct.pack(">I", len(x)) + x.encode() for x in lists)
    payload = b"\x14" + bytes(16) + names + bytes(5)
    padding = 8 - (len(payload) + 5) % 8 + 4
    packet = struct.pack(">IB", len(payload) + padding + 1, padding) + payload + bytes(padding)
    return b"SSH-2.0-OpenSSH_6.6\r\n" + packet


async def said(words: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say it, and wait for the other side to hang up."""
    writer.write(words)
    try:
        while await reader.read(4096):
            pass
    except ConnectionError:
        pass
    finally:
        writer.close()


async def serve(places: Sequence[str]) -> None:
    """Serve all addresses until the end; says so on standard output."""
    page = b"HTTP/1.1 200 OK\r\nServer: httpd\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"
    words = {SSH: offer(), HTTP: page, TELNET: b"\xff\xfd\x18\r\nUsername: "}
    async with AsyncExitStack() as stack:
        for place in places:
            for port, octets in words.items():
                server = await asyncio.start_server(partial(said, octets), place, port)
                await stack.enter_async_context(server)
            loop = asyncio.get_running_loop()
            await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=(place, SNMP))
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


# --- who looks -----------------------------------------------------------------------------------------------------


def record(home: Path, places: Sequence[str]) -> None:
    """Make a home that knows them."""
    settings = Settings(home=home)
    initialise(settings)
    engine = open_engine(settings)
    with session(engine) as opened:
        writer = Writer(opened, Author("bench", utc_now()))
        for n, place in enumerate(places):
            ports = {"address": place, "ssh_port": SSH, "snmp_port": SNMP, "transport": "none"}
            writer.put("device", {"name": f"sw-{n}", "role": "switch", "platform": "ios", **ports})
        writer.finish()
    engine.dispose()


def measured(home: Path, places: Sequence[str], pace: int) -> Sequence[str]:
    """Return a row of the table: one audit of all addresses at a pace."""
    ports = f"telnet_port = {TELNET}\nhttp_ports = [{HTTP}]\nhttps_ports = [{CLOSED}]\n"
    config = home.parent / "siaga.toml"
    config.write_text(f"[audit]\nguess_pps = {pace}\n{ports}")
    environment = {**os.environ, "SIAGA_HOME": str(home), "SIAGA_CONFIG": str(config)}
    spent = child((*SIAGA, "audit", "--quiet", "-o", "json"), environment, fine=ENDED)
    number = len(places)
    return (
        f"{pace} guesses/s",
        f"{spent.wall_s:.1f}",
        f"{spent.cpu_s:.1f}",
        f"{number / spent.wall_s:.1f}",
        f"{spent.cpu_s * 1000 / number:.1f}",
        f"{spent.peak_mb:.0f}",
    )


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser()
    options.add_argument("--addresses", type=int, default=200)
    options.add_argument("--base", default="127.84.20.0")
    options.add_argument("--serve", action="store_true")
    given = options.parse_args()
    places = addresses(given.base, given.addresses)
    if given.serve:
        asyncio.run(serve(places))
        return
    serving = [sys.executable, "-m", "bench.audit", "--serve", "--base", given.base]
    with (
        tempfile.TemporaryDirectory(prefix="siaga-bench-") as name,
        subprocess.Popen([*serving, "--addresses", str(given.addresses)], stdout=subprocess.PIPE) as server,
    ):
        try:
            assert server.stdout is not None
            server.stdout.readline()
            record(Path(name) / "home", places)
            rows = [measured(Path(name) / "home", places, pace) for pace in PACES]
        finally:
            server.terminate()
    print(f"{machine()}; load {load()}; {given.addresses} addresses, each with three open doors\n")
    print(table(("", "wall s", "CPU s", "addresses/s", "CPU ms each", "peak MB"), rows))


if __name__ == "__main__":
    main()
