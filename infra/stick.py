"""The file on which a plan travels, and the one that brings its results back: sealed, and bound to each other.

First a line that says what it is, then a line of JSON that everybody may read (which plan, until when), then the
sealed rest (AES-256-GCM over gzip; the line before it is authenticated too). The key of a plan's files is derived at
home from the master key and a number drawn for that journey, so that home needs to keep nothing; on the way out it is
wrapped under a passphrase (scrypt, RFC 7914), which must not travel with the file.
"""

import gzip
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import scrypt
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from siaga.errors import AuthError, InvalidError, NotFoundError, TemporaryError
from siaga.secrets import NONCE_BYTES, Vault
from siaga.text import safe

PLAN, RESULTS = b"siaga-plan 1\n", b"siaga-results 1\n"
SHORTEST = 12  # letters of a passphrase
_LARGEST = 256 << 20  # bytes of a file, and of what is in it
_HEAD = 1 << 16
_SCRYPT: Mapping[str, int] = {"n": 1 << 15, "r": 8, "p": 1, "maxmem": 64 << 20, "dklen": 32}


@dataclass(frozen=True)
class Sealed:
    """A file as it was read: what it is, its readable line, and the rest."""

    kind: bytes
    head: Mapping[str, Any]
    line: bytes
    rest: bytes


def journey_key(vault: Vault, plan: str, journey: str) -> bytes:
    """Return the key of one journey of a plan; only who has the master key can derive it."""
    return bytes.fromhex(vault.mark(f"siaga-stick\0{plan}\0{journey}"))


def wrapped(key: bytes, passphrase: str) -> dict[str, str]:
    """Return a key under a passphrase, as it stands in the readable line; raises InvalidError (`weak-passphrase`)."""
    if len(passphrase) < SHORTEST:
        raise InvalidError("weak-passphrase", f"The passphrase must have at least {SHORTEST} letters.")
    salt, nonce = os.urandom(16), os.urandom(NONCE_BYTES)
    box = AESGCM(_derived(passphrase, salt)).encrypt(nonce, key, PLAN)
    return {"salt": salt.hex(), "nonce": nonce.hex(), "key": box.hex()}


def unwrapped(head: Mapping[str, Any], passphrase: str) -> bytes:
    """Return the key in a readable line; raises AuthError (`wrong-passphrase`)."""
    try:
        salt, nonce, box = (bytes.fromhex(head["wrap"][k]) for k in ("salt", "nonce", "key"))
        return AESGCM(_derived(passphrase, salt)).decrypt(nonce, box, PLAN)
    except (InvalidTag, KeyError, TypeError, ValueError):
        raise AuthError("wrong-passphrase", "The passphrase does not open this file.") from None


def _derived(passphrase: str, salt: bytes) -> bytes:
    return scrypt(passphrase.encode(), salt=salt, **_SCRYPT)


def sealed(kind: bytes, head: Mapping[str, Any], content: Mapping[str, Any], key: bytes) -> bytes:
    """Return the whole file."""
    line = json.dumps(head, sort_keys=True).encode() + b"\n"
    nonce = os.urandom(NONCE_BYTES)
    packed = gzip.compress(json.dumps(content).encode(), 6, mtime=0)
    return kind + line + nonce + AESGCM(key).encrypt(nonce, packed, kind + line)


def read(path: Path, kind: bytes) -> Sealed:
    """Read a file; raises NotFoundError (`no-such-file`) or InvalidError (`not-a-plan-file`)."""
    what = "plan" if kind == PLAN else "results"
    try:
        if path.stat().st_size > _LARGEST:
            raise InvalidError("not-a-plan-file", f"{path} is too large to hold a plan.")
        whole = path.read_bytes()
    except OSError as error:
        raise NotFoundError("no-such-file", f"{path} cannot be read: {error.strerror}.") from None
    line, found, rest = whole.removeprefix(kind).partition(b"\n")
    try:
        head = json.loads(line) if whole.startswith(kind) and found and len(line) < _HEAD else None
    except ValueError:
        head = None
    if not isinstance(head, dict) or not all(isinstance(head.get(k), str) for k in ("plan", "journey")):
        raise InvalidError("not-a-plan-file", f"{path} is not a file of {what} that siaga has written.")
    return Sealed(kind, head, line + b"\n", rest)


def opened(one: Sealed, key: bytes) -> dict[str, Any]:
    """Return the content; raises AuthError (`file-changed`) if a single bit of the file is not as it was written."""
    try:
        nonce, box = one.rest[:NONCE_BYTES], one.rest[NONCE_BYTES:]
        packed = AESGCM(key).decrypt(nonce, box, one.kind + one.line)
        found = json.loads(gzip.decompress(packed))
    except (InvalidTag, ValueError, OSError, EOFError):
        name = safe(one.head["plan"], 80)
        raise AuthError(
            "file-changed",
            f"The file of plan '{name}' was changed or cut on its way, or is of another siaga.",
        ) from None
    return dict(found)


def write(path: Path, content: bytes, *, new: bool) -> None:
    """Write a file that only we can read, in one piece; `new`: one that is there is not replaced.

    Raises InvalidError (`file-exists`) or TemporaryError (`disk-full`).
    """
    if new and path.exists():
        raise InvalidError("file-exists", f"{path} is there already: take another name, or remove it.")
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise TemporaryError("cannot-write", f"{path} cannot be written: {error.strerror}.") from None
