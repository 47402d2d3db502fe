"""The lean engine's UDP sockets: their options, their error queues (ICMP), and what the kernel dropped at them.

IP_RECVERR and SO_MEMINFO are Linux; elsewhere a closed port is a time-out, and nothing is known of drops.
"""

import errno
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress

from monitor.lean_waiting import Address

_BUFFER_BYTES = 8 << 20
_SO_RCVBUFFORCE, _SO_MEMINFO, _MEMINFO_DROPS = 33, 55, 8
_IP_RECVERR, _IPV6_RECVERR, _MSG_ERRQUEUE = 11, 25, 0x2000
_ERRORS = 128  # read at once


def udp_socket(parts: int) -> socket.socket:
    """Open a socket, bound to a port of its own, for addresses of two parts (IPv4) or four (IPv6)."""
    family = socket.AF_INET if parts == 2 else socket.AF_INET6
    opened = socket.socket(family, socket.SOCK_DGRAM)
    opened.setblocking(False)
    for option in (_SO_RCVBUFFORCE, socket.SO_RCVBUF):
        try:
            opened.setsockopt(socket.SOL_SOCKET, option, _BUFFER_BYTES)
            break
        except OSError:  # only root may have more than net.core.rmem_max
            continue
    with suppress(OSError):
        if family == socket.AF_INET:
            opened.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
        else:
            opened.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
    opened.bind(("", 0))
    return opened


def icmp_errors(opened: socket.socket) -> Iterator[tuple[Address, int | None, bytes]]:
    """Read a socket's error queue: of each error the address, the errno if it has one, and what it quotes."""
    for _ in range(_ERRORS):
        try:
            payload, ancillary, _, address = opened.recvmsg(1024, 512, _MSG_ERRQUEUE)
        except OSError:
            return
        yield address, _errno_of(ancillary), payload


def _errno_of(ancillary: list[tuple[int, int, bytes]]) -> int | None:
    for _, kind, content in ancillary:
        if kind in (_IP_RECVERR, _IPV6_RECVERR) and len(content) >= 4:
            return int(struct.unpack_from("=I", content)[0]) or errno.ECONNREFUSED
    return None


def dropped(opened: socket.socket) -> int:
    """Return how many datagrams the kernel dropped at this socket (SO_MEMINFO of Linux 4.10)."""
    try:
        found = opened.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 64)
    except OSError:
        return 0
    return int(struct.unpack_from("=I", found, 4 * _MEMINFO_DROPS)[0]) if len(found) >= 36 else 0
