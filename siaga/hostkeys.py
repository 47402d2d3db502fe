"""The host keys siaga trusts, in an OpenSSH known_hosts file: trust on first use, then only that key.

The file's format is that of sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT", so OpenSSH and Ansible can use the very
same file (`UserKnownHostsFile`). Names on a port other than 22 are written `[host]:port`. Hashed names,
patterns (`*`, `?`, `!`) and `@revoked` are understood; `@cert-authority` lines are left alone.
"""

import base64
import binascii
import fcntl
import hashlib
import hmac
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from siaga.errors import AuthError, SiagaError


@dataclass(frozen=True)
class HostKey:
    """A public host key: its type as OpenSSH writes it (`ssh-ed25519`, `ssh-rsa`), and the key in base64."""

    kind: str
    base64: str

    @property
    def fingerprint(self) -> str:
        """The key's fingerprint as ssh-keygen(1) shows it: SHA256 and unpadded base64."""
        digest = hashlib.sha256(base64.b64decode(self.base64)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


@dataclass(frozen=True)
class _Line:
    """One key line of the file: its marker (`@revoked`) or nothing, the names field, the key."""

    marker: str
    names: str
    key: HostKey


class HostKeys:
    """The keys in one known_hosts file. Reads and writes are safe from several threads and processes.

    That a key was trusted on first use is written into the history afterwards, from what the file holds: OpenSSH under
    Ansible writes it too (inventory/host_keys.py).
    """

    def __init__(self, path: Path, *, accept_new: bool = True) -> None:
        self.path = path
        self.accept_new = accept_new
        self._read: tuple[tuple[int, int, int], list[str]] = ((0, 0, 0), [])

    def of(self, host: str, port: int) -> tuple[HostKey, ...]:
        """Return the keys trusted for this host, in the file's order."""
        name = written(host, port)
        lines = (line for line in map(_parsed, self._about(name)) if line is not None)
        return tuple(line.key for line in lines if not line.marker and _names(line.names, name))

    def all(self) -> Mapping[str, tuple[HostKey, ...]]:
        """Return the names that stand there plainly, neither hashed nor as patterns, each with its keys."""
        found: dict[str, tuple[HostKey, ...]] = {}
        for line in map(_parsed, self._lines()):
            if line is not None and not line.marker and not _PATTERNED.search(line.names):
                for name in line.names.lower().split(","):
                    found[name] = (*found.get(name, ()), line.key)
        return found

    def check(self, name: str, host: str, port: int, key: HostKey) -> None:
        """Return if `key` may be trusted as the key of device `name`; a first key is then written down.

        Raises AuthError: `host-key-changed`, `host-key-unknown` (with accept_new off), `host-key-revoked`.
        """
        # The file is replaced and never written into, so that a known key, nearly every one, needs no lock.
        if self._trusted(name, host, port, key):
            return
        with self._locked():
            if not self._trusted(name, host, port, key):  # somebody else may have met it meanwhile
                self._write([*self._lines(), _line(host, port, key)])

    def _trusted(self, name: str, host: str, port: int, key: HostKey) -> bool:
        """Tell whether a key is known already; raise AuthError for one that may not be trusted."""
        if self._revoked(host, port, key):
            raise AuthError("host-key-revoked", _REVOKED.format(name=name, print=key.fingerprint))
        known = self.of(host, port)
        if key in known:
            return True
        if known:
            raise AuthError("host-key-changed", _changed(name, known, key))
        if not self.accept_new:
            raise AuthError("host-key-unknown", _UNKNOWN.format(name=name, print=key.fingerprint))
        return False

    def trust(self, host: str, port: int, key: HostKey) -> None:
        """Make `key` the only key trusted for this host; what a person does after a key has changed."""
        with self._locked():
            self._write([*self._without(host, port), _line(host, port, key)])

    def forget(self, host: str, port: int) -> None:
        """Trust no key for this host any more; the next one seen is a first one."""
        with self._locked():
            self._write(self._without(host, port))

    def _without(self, host: str, port: int) -> list[str]:
        """Return the lines without this host; a line of several names loses only this one."""
        name, kept = written(host, port), []
        for text in self._lines():
            line = _parsed(text)
            if line is None or line.marker or not _names(line.names, name):
                kept.append(text)
            elif rest := [n for n in line.names.split(",") if not _names(n, name)]:
                kept.append(f"{','.join(rest)} {line.key.kind} {line.key.base64}")
        return kept

    def _revoked(self, host: str, port: int, key: HostKey) -> bool:
        name = written(host, port)
        lines = (line for line in map(_parsed, self._about(name)) if line and line.marker == "@revoked")
        return any(line.key == key and _names(line.names, name) for line in lines)

    def _about(self, name: str) -> Iterator[str]:
        """Yield the lines that may name this host: of thousands of devices each is in one of thousands of lines."""
        return (line for line in self._lines() if name in line.lower() or _PATTERNED.search(line))

    def _lines(self) -> list[str]:
        try:
            state = self.path.stat()
            mark = (state.st_mtime_ns, state.st_size, state.st_ino)
            if self._read[0] != mark:  # the file is replaced, never written into
                text = self.path.read_text("utf-8", errors="surrogateescape")
                self._read = (mark, text.splitlines())
            return self._read[1]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._unusable(error) from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock file beside known_hosts; flock(2) holds between threads too, each opens its own."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.path.with_name(self.path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        except OSError as error:
            raise self._unusable(error) from error
        finally:
            os.close(lock)

    def _unusable(self, error: OSError) -> SiagaError:
        why = error.strerror or type(error).__name__
        sentence = f"The file of host keys, {self.path}, cannot be read or written: {why}."
        return SiagaError("known-hosts-unusable", sentence)

    def _write(self, lines: list[str]) -> None:
        """Replace the file at once: a reader or a crash sees the old text or the new one, never half."""
        text = "".join(line + "\n" for line in lines)
        handle, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(self.path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


_PATTERNED = re.compile(r"[*?!@]|\|1\|")


def written(host: str, port: int) -> str:
    """Return the host as known_hosts names it: bare on port 22, `[host]:port` elsewhere, in lower case."""
    return host.lower() if port == 22 else f"[{host.lower()}]:{port}"


_REVOKED = "The host key of {name}, {print}, is revoked in the known_hosts file; no password was sent."
_UNKNOWN = (
    "The host key of {name}, {print}, is not known and new keys are not accepted; no password was sent. "
    "If it is right, run: siaga trust {name}"
)


def _changed(name: str, known: tuple[HostKey, ...], key: HostKey) -> str:
    before = " or ".join(k.fingerprint for k in known)
    return (
        f"The host key of {name} has changed (it was {before}, it is now {key.fingerprint}): it is another "
        f"machine, or somebody in between; no password was sent. If this is right, run: siaga trust {name}"
    )


def _line(host: str, port: int, key: HostKey) -> str:
    return f"{written(host, port)} {key.kind} {key.base64}"


def _parsed(text: str) -> _Line | None:
    """Return a key line, or None for a comment, an empty line, or what is no key line."""
    fields = text.split()
    marker = fields.pop(0) if fields and fields[0].startswith("@") else ""
    if len(fields) < 3 or fields[0].startswith("#") or not _is_base64(fields[2]):
        return None
    return _Line(marker, fields[0], HostKey(fields[1], fields[2]))


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return False


def _names(field: str, name: str) -> bool:
    """Tell whether a names field means this host: a hash, or names and patterns of which none negates it."""
    if field.startswith("|1|"):
        return _hashes(field, name)
    parts = field.lower().split(",")
    if any(part.startswith("!") and _like(part[1:], name) for part in parts):
        return False
    return any(_like(part, name) for part in parts)


def _hashes(field: str, name: str) -> bool:
    """Tell whether `|1|salt|hash` is the HMAC-SHA1 of the name (HashKnownHosts of ssh_config(5))."""
    try:
        salt, digest = (base64.b64decode(part, validate=True) for part in field[3:].split("|"))
    except ValueError:
        return False
    return hmac.compare_digest(hmac.new(salt, name.encode(), "sha1").digest(), digest)


def _like(pattern: str, name: str) -> bool:
    if "*" not in pattern and "?" not in pattern:
        return pattern == name
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), name) is not None
