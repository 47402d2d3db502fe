"""Several agents on loopback addresses of their own, all at one UDP port, in a thread: what a sweep finds."""

import selectors
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

Answer = Callable[[bytes], bytes | None]


@dataclass
class Fleet:
    """Who answers where, and every datagram that came, by address; `port` is the port of all."""

    port: int
    answers: dict[str, Answer]
    asked: dict[str, list[bytes]] = field(default_factory=dict)


@contextmanager
def fleet(answers: Mapping[str, Answer]) -> Iterator[Fleet]:
    """Serve each address by its function until the end."""
    with ExitStack() as stack:
        first, *others = answers
        sockets = {first: stack.enter_context(_bound(first, 0))}
        port = sockets[first].getsockname()[1]
        sockets |= {a: stack.enter_context(_bound(a, port)) for a in others}
        own = Fleet(port, dict(answers), {a: [] for a in answers})
        near, far = (stack.enter_context(s) for s in socket.socketpair())
        thread = threading.Thread(target=_serve, args=(own, sockets, far))
        thread.start()
        try:
            yield own
        finally:
            near.send(b"end")
            thread.join(10)
            assert not thread.is_alive()


def _bound(address: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((address, port))
    return made


def _serve(own: Fleet, sockets: Mapping[str, socket.socket], end: socket.socket) -> None:
    with selectors.DefaultSelector() as ready:
        ready.register(end, selectors.EVENT_READ, "")
        for address, one in sockets.items():
            ready.register(one, selectors.EVENT_READ, address)
        while True:
            for key, _ in ready.select():
                if not key.data:
                    return
                data, peer = sockets[key.data].recvfrom(65535)
                own.asked[key.data].append(data)
                try:
                    reply = own.answers[key.data](data)
                except (ValueError, IndexError):  # as agents do with what is none of their versions
                    reply = None
                if reply is not None:
                    sockets[key.data].sendto(reply, peer)
