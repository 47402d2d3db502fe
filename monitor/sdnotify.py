"""Tells systemd how the service does (sd_notify(3)): one datagram to the socket that it names. Elsewhere nothing."""

import os
import socket
import time


def tell(*lines: str) -> bool:
    """Send lines such as READY=1; tell whether somebody took them. Never raises: nothing depends on it."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
            out.settimeout(1.0)
            out.sendto("\n".join(lines).encode(), f"\0{address[1:]}" if address[0] == "@" else address)
    except OSError:
        return False
    return True


def reloading() -> None:
    """Say that settings are read again; READY=1 ends it."""
    tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


def watchdog_s() -> float | None:
    """Return within how many seconds systemd wants to hear from this process (WATCHDOG_USEC); None: never."""
    own = os.environ.get("WATCHDOG_PID", "")
    said = os.environ.get("WATCHDOG_USEC", "")
    if not said.isascii() or not said.isdigit() or own not in ("", str(os.getpid())):
        return None
    return int(said) / 1e6 or None
