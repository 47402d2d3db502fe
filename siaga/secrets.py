"""Seals secrets: AES-256-GCM under a master key that lives outside the database (THREATS C5).

The inventory holds only references and sealed boxes; a secret is opened in memory, at the moment of use.
The master key is 32 random bytes in `home/master.key` (mode 0400), or in $CREDENTIALS_DIRECTORY/siaga-key
when systemd hands it over. The box is bound to its own name, so that boxes cannot be swapped.
"""

import hmac
import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from siaga.errors import AuthError

KEY_BYTES = 32
NONCE_BYTES = 12  # NIST SP 800-38D, 8.2


@dataclass(frozen=True)
class Box:
    """A sealed secret: the id of the key that sealed it, the nonce and the ciphertext with its tag."""

    key_id: str
    nonce: bytes
    sealed: bytes


class Vault:
    """Seals and opens boxes with one master key."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise AuthError("bad-master-key", f"The master key must be {KEY_BYTES} bytes long.")
        self._key = AESGCM(key)
        self._mark = hmac.digest(key, b"siaga-mark", "sha256")  # a key of its own for `mark`
        self.key_id = sha256(b"siaga-key-id" + key).hexdigest()[:12]

    def __repr__(self) -> str:
        return f"Vault({self.key_id})"

    def mark(self, text: str) -> str:
        """Return a keyed digest: equal texts have equal marks, and without the key none can be guessed."""
        return hmac.digest(self._mark, text.encode(), "sha256").hex()

    def seal(self, name: str, secret: str) -> Box:
        """Seal `secret` under `name`."""
        return self.seal_octets(name, secret.encode())

    def seal_octets(self, name: str, octets: bytes) -> Box:
        """Seal octets under `name`."""
        nonce = os.urandom(NONCE_BYTES)
        return Box(self.key_id, nonce, self._key.encrypt(nonce, octets, name.encode()))

    def open(self, name: str, box: Box) -> str:
        """Open the box sealed under `name`; raises AuthError (`cannot-open-secret`) on any mismatch."""
        return self.open_octets(name, box).decode()

    def open_octets(self, name: str, box: Box) -> bytes:
        """Open the box of octets sealed under `name`; raises AuthError (`cannot-open-secret`) on any mismatch."""
        try:
            return self._key.decrypt(box.nonce, box.sealed, name.encode())
        except InvalidTag:
            raise AuthError(
                "cannot-open-secret",
                f"The secret of '{name}' was sealed with key {box.key_id}, this is key {self.key_id}:"
                " put the right master.key back, or set the secret again.",
            ) from None


def key_path(home: Path) -> Path:
    """Return where the master key is looked for."""
    handed_over = os.environ.get("CREDENTIALS_DIRECTORY")
    systemd = Path(handed_over) / "siaga-key" if handed_over else None
    return systemd if systemd and systemd.exists() else home / "master.key"


def make_key(home: Path) -> Path:
    """Make a master key if there is none; the file is complete and 0400 before it has its name."""
    path = home / "master.key"
    if not path.exists():
        part = home / f".master.key.{os.getpid()}"
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    return path


def open_vault(home: Path) -> Vault:
    """Open the vault of this home; raises AuthError (`no-master-key`) when the key cannot be read."""
    path = key_path(home)
    try:
        return Vault(path.read_bytes())
    except OSError as error:
        raise AuthError(
            "no-master-key",
            f"The master key {path} cannot be read ({error.strerror}): put it back, or on a new home run 'siaga init'.",
        ) from None
