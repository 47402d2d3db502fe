"""How long an SSH server's RSA host key is, which it shows only when keys are exchanged; nobody logs in.

asyncssh, because it still agrees with servers that know nothing but what is weak, which paramiko does no more.
"""

import asyncio
import logging

from siaga.text import safe

_RSA = ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")


async def rsa_bits(address: str, port: int, timeout_s: float) -> int | None:
    """Return the bits of its RSA key, or None if it shows none in that time, or nothing can be agreed on."""
    import asyncssh

    logging.getLogger("asyncssh").setLevel(logging.CRITICAL + 1)  # what fails here is a value
    options = asyncssh.SSHClientConnectionOptions(
        kex_algs="*",
        server_host_key_algs=list(_RSA),
        encryption_algs="*",
        mac_algs="*",
        known_hosts=None,
        config=None,
        username="audit",
        client_version="siaga_audit",
    )
    try:
        async with asyncio.timeout(timeout_s):
            key = await asyncssh.get_server_host_key(safe(address), port, options=options)
    except (asyncssh.Error, OSError, TimeoutError, ValueError):
        return None
    size = getattr(getattr(key, "pyca_key", None), "key_size", None)
    return size if isinstance(size, int) else None
