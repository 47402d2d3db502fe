"""Seals a line of text under the master key: only who holds the key can have written it so."""

import hmac
from pathlib import Path


class Seal:
    """Seals with a key of its own that is derived from the master key."""

    def __init__(self, master_key: bytes) -> None:
        self._key = hmac.digest(master_key, b"siaga-seal", "sha256")

    def __repr__(self) -> str:
        return "Seal()"

    def of(self, text: str) -> str:
        """Return the seal of a text, as 64 hex digits."""
        return hmac.digest(self._key, text.encode(), "sha256").hex()

    def fits(self, text: str, seal: str) -> bool:
        """Tell whether this is the seal of that text."""
        return hmac.compare_digest(self.of(text).encode(), str(seal).encode())


def open_seal(home: Path) -> Seal | None:
    """Return the seal of this home; None where its master key cannot be read, as on a copy for an auditor."""
    from siaga.secrets import key_path

    try:
        return Seal(key_path(home).read_bytes())
    except OSError:
        return None
