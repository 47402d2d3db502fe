"""Which TCP ports of a host are open: a connect that is taken back at once, many side by side, nothing sent."""

import asyncio
import socket
import struct
from collections.abc import Callable, Sequence

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closed without waiting, nothing is left behind on either side


async def open_ports(
    hosts: Sequence[str],
    ports: Sequence[int],
    *,
    concurrency: int = 256,
    timeout_s: float = 1.0,
    told: Callable[[str, int], None] | None = None,
) -> dict[str, tuple[int, ...]]:
    """Return host → its open ports, for those that have any; at most `concurrency` connects at a time."""
    places = asyncio.Semaphore(concurrency)
    found: dict[str, list[int]] = {}

    async def one(host: str, port: int) -> None:
        async with places:
            if await _opens(host, port, timeout_s):
                found.setdefault(host, []).append(port)
                if told:
                    told(host, port)

    # Port by port, so that one host is not asked for all of them at once.
    pairs = [(host, port) for port in ports for host in hosts]
    for start in range(0, len(pairs), concurrency * 4):
        async with asyncio.TaskGroup() as group:
            for pair in pairs[start : start + concurrency * 4]:
                group.create_task(one(*pair))
    return {host: tuple(sorted(some)) for host, some in found.items()}


async def _opens(host: str, port: int, timeout_s: float) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as own:
        own.setblocking(False)
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.get_running_loop().sock_connect(own, (host, port))
        except (OSError, TimeoutError):
            return False
    return True
