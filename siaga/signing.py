"""The Ed25519 key of an installation, derived from its master key: it signs what leaves the house."""

import base64
import binascii
import hmac
from pathlib import Path

from siaga.errors import AuthError, UsageError
from siaga.secrets import key_path
from siaga.text import safe

_BYTES = 32


class Signer:
    """Signs; its public key says by whom (RFC 8032: the same text has one signature)."""

    def __init__(self, master_key: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        seed = hmac.digest(master_key, b"siaga-ed25519", "sha256")
        self._key: Ed25519PrivateKey = Ed25519PrivateKey.from_private_bytes(seed)

    def __repr__(self) -> str:
        return f"Signer({self.public})"

    @property
    def public(self) -> str:
        """The public key, base64."""
        return base64.b64encode(self._key.public_key().public_bytes_raw()).decode()

    def sign(self, data: bytes) -> str:
        """Return the signature, base64."""
        return base64.b64encode(self._key.sign(data)).decode()


def open_signer(home: Path) -> Signer:
    """Return the signer of a home; raises AuthError (`no-master-key`)."""
    path = key_path(home)
    try:
        return Signer(path.read_bytes())
    except OSError as error:
        sentence = (
            f"The master key {path} cannot be read ({error.strerror}): nothing can be signed without it."
        )
        raise AuthError("no-master-key", sentence) from None


def fits(public: str, data: bytes, signature: str) -> bool:
    """Tell whether this is the signature of the data by the holder of that key; false for what is none at all."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public, validate=True))
        key.verify(base64.b64decode(signature, validate=True), data)
    except (ValueError, binascii.Error, InvalidSignature):
        return False
    return True


def public_key(text: str) -> str:
    """Return a public key as it was written; raises UsageError (`bad-key`)."""
    try:
        if len(base64.b64decode(text.strip(), validate=True)) == _BYTES:
            return text.strip()
    except (ValueError, binascii.Error):
        pass
    raise UsageError("bad-key", f"'{safe(text, 60)}' is no public key: 44 characters of base64.")
