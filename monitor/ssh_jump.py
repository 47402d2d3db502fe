"""The way to a device's SSH server: straight, or through a jump host whose own key is checked like any other.

Behind a jump host the connection is a channel of its session (direct-tcpip, RFC 4254, section 7.2). A socket pair is
put over it, so that all that is held for a socket (time-outs, peeking, cutting) holds for it as well.
"""

import threading
from contextlib import closing, suppress
from socket import SHUT_WR, socket, socketpair

import paramiko

from inventory.ssh_client import Client
from monitor.dial import MissedError, at_most, dial, first_words
from monitor.observation import Reach
from monitor.ssh_client import client_for, private_key, where_is
from monitor.targets import Target
from siaga.hostkeys import HostKeys
from siaga.text import safe

_PIECE = 65_536


def connected(target: Target, known_hosts: HostKeys, timeout_s: float) -> socket:
    """Return a connected socket to the device's SSH port, through its jump host if it has one.

    Raises MissedError; of the jump host's refusals the sentence names the jump host.
    """
    where = where_is(target)
    if target.jump is None:
        return dial(where, target.address, target.ssh_port, timeout_s)
    client = _logged_in(target.jump, known_hosts, timeout_s)
    try:
        channel = _through(client, target, timeout_s)
    except BaseException:
        client.close()
        raise
    near, far = socketpair()
    near.settimeout(timeout_s)
    threading.Thread(target=_to_device, args=(far, channel), name="jump-out", daemon=True).start()
    threading.Thread(target=_to_us, args=(far, channel, client), name="jump-in", daemon=True).start()
    return near


def _logged_in(jump: Target, known_hosts: HostKeys, timeout_s: float) -> Client:
    where, auth = f"The jump host {where_is(jump)}", jump.ssh
    if auth is None or not auth.user:
        raise MissedError(Reach.refused, f"{where} has no SSH credential.")
    key = private_key(where, auth)
    sock = connected(jump, known_hosts, timeout_s)
    client = client_for(jump, known_hosts)
    try:
        first_words(where, sock, timeout_s)
        with at_most(sock, timeout_s):
            client.connect(
                jump.address,
                port=jump.ssh_port,
                username=auth.user,
                password=auth.password.get_secret_value() or None,
                pkey=key,
                sock=sock,
                look_for_keys=False,
                allow_agent=False,
                timeout=timeout_s,
                auth_timeout=timeout_s,
                banner_timeout=timeout_s,
            )
    except paramiko.AuthenticationException:
        client.close()
        raise MissedError(Reach.refused, f"{where} refused the login of '{safe(auth.user)}'.") from None
    except (paramiko.SSHException, OSError, EOFError) as error:
        client.close()
        raise MissedError(Reach.silent, f"{where} could not be used: {safe(error, 120)}.") from None
    except BaseException:
        client.close()
        raise
    return client


def _through(client: Client, target: Target, timeout_s: float) -> paramiko.Channel:
    transport = client.get_transport()
    assert transport is not None
    where, jump = where_is(target), safe(target.jump.name) if target.jump else ""
    try:
        return transport.open_channel(
            "direct-tcpip", (target.address, target.ssh_port), ("127.0.0.1", 0), timeout=timeout_s
        )
    except paramiko.ChannelException as error:
        reason = f"The jump host {jump} gets no connection to {where}: {safe(error.text, 80)}."
        raise MissedError(Reach.silent, reason) from None
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise MissedError(
            Reach.silent, f"{where} cannot be reached through {jump}: {safe(error, 80)}."
        ) from None


def _to_device(far: socket, channel: paramiko.Channel) -> None:
    with suppress(OSError, EOFError, paramiko.SSHException):
        while piece := far.recv(_PIECE):
            channel.sendall(piece)
    with suppress(OSError, EOFError, paramiko.SSHException):
        channel.close()


def _to_us(far: socket, channel: paramiko.Channel, client: Client) -> None:
    with closing(client), closing(far):
        with suppress(OSError, EOFError, paramiko.SSHException):
            while piece := channel.recv(_PIECE):
                far.sendall(piece)
        with suppress(OSError):
            far.shutdown(SHUT_WR)
