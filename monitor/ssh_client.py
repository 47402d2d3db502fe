"""The SSH client under netmiko: paramiko, with our own judgement of host keys before anything secret is sent."""

import logging
from contextlib import closing
from io import StringIO
from pathlib import Path
from socket import socket
from typing import Any

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from monitor.dial import MissedError, at_most, dial, first_words
from monitor.observation import Reach
from monitor.targets import SshAuth, Target
from siaga.hostkeys import HostKey, HostKeys
from siaga.text import safe

# paramiko logs each failed connection as an error with a traceback; here it is a value with a reason.
_LOG_NAME = "siaga.ssh.transport"
logging.getLogger(_LOG_NAME).setLevel(logging.CRITICAL + 1)
_KINDS: dict[type, type[paramiko.PKey]] = {
    ed25519.Ed25519PrivateKey: paramiko.Ed25519Key,
    ec.EllipticCurvePrivateKey: paramiko.ECDSAKey,
    rsa.RSAPrivateKey: paramiko.RSAKey,
}


def where_is(target: Target) -> str:
    """Return how a sentence names a device: `rtr1 (10.0.0.1:22)`."""
    return f"{safe(target.name)} ({safe(target.address)}:{target.ssh_port})"


def present_key(target: Target, timeout_s: float) -> HostKey:
    """Return the host key a device shows now, without logging in: what `siaga trust` asks a person about.

    Raises MissedError if no SSH server answers there.
    """
    where = where_is(target)
    with closing(dial(where, target.address, target.ssh_port, timeout_s)) as sock:
        first_words(where, sock, timeout_s)
        with at_most(sock, timeout_s), closing(paramiko.Transport(sock)) as transport:
            transport.set_log_channel(_LOG_NAME)
            try:
                transport.start_client(timeout=timeout_s)
                return _host_key(transport.get_remote_server_key())
            except (paramiko.SSHException, OSError, EOFError, ValueError) as error:
                raise MissedError(Reach.garbage, f"{where} shows no host key: {safe(error, 120)}.") from None


def private_key(where: str, auth: SshAuth) -> paramiko.PKey | None:
    """Return the private key of the credential, or None if it has none; raise MissedError if it is unusable."""
    text = auth.private_key.get_secret_value()
    if not text and not auth.key_file:
        return None
    try:
        return _key_of(text or Path(auth.key_file).expanduser().read_text("utf-8"))
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm, paramiko.SSHException) as error:
        reason = f"The private key for {where} cannot be used: {safe(error, 160)}."
        raise MissedError(Reach.refused, reason) from None


def _key_of(text: str) -> paramiko.PKey:
    """Return the private key in a text, OpenSSH's format or PEM, without passphrase.

    paramiko's own reader of OpenSSH's format fails where the secret part needs no padding and has no
    comment (every other ECDSA key without one), so it is given what cryptography has read and written again.
    """
    try:
        loaded = serialization.load_ssh_private_key(text.encode(), None)
    except ValueError:
        loaded = serialization.load_pem_private_key(text.encode(), None)  # type: ignore[assignment]
    kind = next((kind for held, kind in _KINDS.items() if isinstance(loaded, held)), None)
    if kind is None:
        raise ValueError("it is no ed25519, ECDSA or RSA key")
    formats = serialization.PrivateFormat
    shape = formats.OpenSSH if kind is paramiko.Ed25519Key else formats.TraditionalOpenSSL
    again = loaded.private_bytes(serialization.Encoding.PEM, shape, serialization.NoEncryption())
    return kind.from_private_key(StringIO(again.decode()))


class Client(paramiko.SSHClient):
    """A paramiko client that knows no host key itself, so that every key comes before our own policy."""

    def __init__(self, target: Target, known_hosts: HostKeys) -> None:
        super().__init__()
        self.host, self.port = target.address, target.ssh_port
        self._hosts = known_hosts
        self.set_log_channel(_LOG_NAME)
        self.set_missing_host_key_policy(_Policy(target, known_hosts))

    def connect(self, *args: Any, **kwargs: Any) -> Any:
        """Connect; ask first for the type of host key that is known, as OpenSSH does (HostKeyAlgorithms)."""
        kwargs["transport_factory"] = self._transport_for
        return super().connect(*args, **kwargs)

    def _transport_for(self, sock: socket, **kwargs: Any) -> paramiko.Transport:
        transport = paramiko.Transport(sock, **kwargs)
        known = {key.kind for key in self._hosts.of(self.host, self.port)}
        options = transport.get_security_options()
        # One RSA key serves under three names (RFC 8332).
        first = [t for t in options.key_types if t in known or (t.startswith("rsa-") and "ssh-rsa" in known)]
        options.key_types = [*first, *(t for t in options.key_types if t not in first)]
        return transport


class _Policy(paramiko.MissingHostKeyPolicy):
    """Has our store judge each host key; paramiko calls it after the key exchange and before any login."""

    def __init__(self, target: Target, known_hosts: HostKeys) -> None:
        self._target = target
        self._hosts = known_hosts

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        """Raise AuthError if the key is not to be trusted."""
        target = self._target
        self._hosts.check(safe(target.name), target.address, target.ssh_port, _host_key(key))


def _host_key(key: paramiko.PKey) -> HostKey:
    return HostKey(key.get_name(), key.get_base64())
