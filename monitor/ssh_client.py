"""What a device is logged in to with: the client for it, the private key of its credential, the host key it shows."""

from contextlib import closing
from io import StringIO
from pathlib import Path

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from inventory.ssh_client import LOG_NAME, Client, host_key
from monitor.dial import MissedError, at_most, dial, first_words
from monitor.observation import Reach
from monitor.targets import SshAuth, Target
from siaga.hostkeys import HostKey, HostKeys
from siaga.text import safe

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
            transport.set_log_channel(LOG_NAME)
            try:
                transport.start_client(timeout=timeout_s)
                return host_key(transport.get_remote_server_key())
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


def client_for(target: Target, known_hosts: HostKeys) -> Client:
    """Return the client for one device, not connected yet."""
    return Client(safe(target.name), target.address, target.ssh_port, known_hosts)
