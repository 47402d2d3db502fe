"""The SSH client under netmiko, for who reads devices and who changes them: paramiko, with our judgement of host keys.

The key is judged after the key exchange and before anything secret is sent; paramiko, and netmiko on it, would by
themselves take any.
"""

import logging
from socket import socket
from typing import Any

import paramiko

from siaga.hostkeys import HostKey, HostKeys

# paramiko logs each failed connection as an error with a traceback; here it is a value with a reason.
LOG_NAME = "siaga.ssh.transport"
logging.getLogger(LOG_NAME).setLevel(logging.CRITICAL + 1)


def host_key(key: paramiko.PKey) -> HostKey:
    """Return paramiko's key as ours."""
    return HostKey(key.get_name(), key.get_base64())


class Client(paramiko.SSHClient):
    """A paramiko client that knows no host key itself, so that every key comes before our own policy.

    `name` is what sentences call the device. `connect` raises AuthError for a key that is not to be trusted.
    """

    def __init__(self, name: str, host: str, port: int, known_hosts: HostKeys) -> None:
        super().__init__()
        self.host, self.port = host, port
        self._hosts = known_hosts
        self.set_log_channel(LOG_NAME)
        self.set_missing_host_key_policy(_Policy(name, host, port, known_hosts))

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
    """Has our store judge each host key."""

    def __init__(self, name: str, host: str, port: int, known_hosts: HostKeys) -> None:
        self._name, self._host, self._port, self._hosts = name, host, port, known_hosts

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        """Raise AuthError if the key is not to be trusted."""
        self._hosts.check(self._name, self._host, self._port, host_key(key))
