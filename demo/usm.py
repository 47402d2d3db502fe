"""The agent's side of SNMPv3's user-based security: SHA-256 with AES-128 and nothing else.

RFC 3414 (USM, timeliness, localized keys), RFC 7860 (usmHMAC192SHA256AuthProtocol: 24 octets of the HMAC),
RFC 3826 (usmAesCfb128Protocol: 16 octets of the localized key, IV from boots, time and salt).
"""

import hmac
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

try:  # cryptography 47 moved CFB to its "decrepit" shelf; RFC 3826 leaves no other mode.
    from cryptography.hazmat.decrepit.ciphers.modes import CFB
except ImportError:  # pragma: no cover - older releases
    from cryptography.hazmat.primitives.ciphers.modes import CFB  # type: ignore[attr-defined,no-redef,unused-ignore]

DIGEST_OCTETS = 24
WINDOW_S = 150


@lru_cache(maxsize=16)
def password_key(password: bytes) -> bytes:
    """Return the key of a password: the hash of 2^20 octets of it, repeated (RFC 3414, A.2)."""
    if not password:
        raise ValueError("An SNMPv3 secret is empty.")
    repeated = password * (2**20 // len(password) + 1)
    return sha256(repeated[: 2**20]).digest()


def localized(password: bytes, engine: bytes) -> bytes:
    """Return the key of a password at one engine, so that no two devices share a key (RFC 3414, 2.6)."""
    key = password_key(password)
    return sha256(key + engine + key).digest()


@dataclass(frozen=True)
class User:
    """A user at one engine, with both keys localized to it."""

    name: bytes
    auth_key: bytes = field(repr=False)
    priv_key: bytes = field(repr=False)

    @classmethod
    def of(cls, name: str, auth_secret: str, priv_secret: str, engine: bytes) -> "User":
        """Localize both secrets to `engine`."""
        return cls(
            name.encode(),
            localized(auth_secret.encode(), engine),
            localized(priv_secret.encode(), engine)[:16],
        )

    def digest(self, message: bytes) -> bytes:
        """Return the authentication parameters of a message whose own are zero."""
        return hmac.digest(self.auth_key, message, "sha256")[:DIGEST_OCTETS]

    def signed_by_me(self, message: bytes, at: int) -> bool:
        """Tell whether the digest that stands at `at` in `message` is right."""
        there = message[at : at + DIGEST_OCTETS]
        blank = message[:at] + bytes(DIGEST_OCTETS) + message[at + DIGEST_OCTETS :]
        return len(there) == DIGEST_OCTETS and hmac.compare_digest(self.digest(blank), there)

    def encrypted(self, plain: bytes, boots: int, time: int, salt: bytes) -> bytes:
        """Encrypt a scoped PDU."""
        sealing = self._cipher(boots, time, salt).encryptor()
        return sealing.update(plain) + sealing.finalize()

    def decrypted(self, sealed: bytes, boots: int, time: int, salt: bytes) -> bytes:
        """Decrypt a scoped PDU; a wrong key gives garbage, which the decoder then refuses."""
        opening = self._cipher(boots, time, salt).decryptor()
        return opening.update(sealed) + opening.finalize()

    def _cipher(self, boots: int, time: int, salt: bytes) -> "Cipher[CFB]":
        iv = boots.to_bytes(4, "big") + time.to_bytes(4, "big") + salt
        return Cipher(algorithms.AES(self.priv_key), CFB(iv))


def engine_id(name: str) -> bytes:
    """Return an engine ID in the text format (4) of RFC 3411, under net-snmp's enterprise number 8072."""
    return (0x80000000 | 8072).to_bytes(4, "big") + b"\x04" + name.encode()[:27]
