"""The repository of scrubbed configurations: a bare Git repository, written by one fast-import for each run.

git(1) itself is used and not a library: whoever comes later reads the same repository with the same program, and a
run's hundred files are one process and one commit, of which a crash leaves all or nothing. Nothing of the user's or the
machine's Git settings is read.
"""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from siaga.errors import SiagaError, TemporaryError, UsageError
from siaga.text import safe

BRANCH = "refs/heads/main"
_LONGEST_S = 120.0
_MAIL = "siaga@localhost"
_BLAMED = re.compile(r"^([0-9a-f]{40}) \d+ (\d+)(?: \d+)?$")


@dataclass(frozen=True)
class Hit:
    """A line that was found: in which file, which line, what it says."""

    path: str
    number: int
    text: str


def path_of(name: str) -> str:
    """Return the file of a device: its name, with what no file name should hold written as %20."""
    return quote(name, safe="").replace("~", "%7E").lstrip(".") + ".cfg"


class Repository:
    """The repository in siaga's home; it is made when it is first written."""

    def __init__(self, home: Path) -> None:
        self.path = home / "configs.git"

    def exists(self) -> bool:
        """Tell whether anything was ever kept."""
        return (self.path / "HEAD").exists()

    def head(self) -> str:
        """Return the newest commit, or ''."""
        return self._git("rev-parse", "--verify", "-q", BRANCH, fine=(0, 1)).strip() if self.exists() else ""

    def commit(
        self, files: Mapping[str, str], gone: Sequence[str], *, message: str, author: str, at: datetime
    ) -> str:
        """Write these files (path → text) and remove those gone, in one commit; return its id."""
        self._make()
        stamp = f"{int(at.timestamp())} +0000"
        head = self.head()
        told = message.encode()
        parts = [
            f"feature done\ncommit {BRANCH}\n".encode(),
            f"author {_name(author)} <{_MAIL}> {stamp}\ncommitter siaga <{_MAIL}> {stamp}\n".encode(),
            f"data {len(told)}\n".encode() + told + b"\n",
            f"from {head}\n".encode() if head else b"",
            *(f"D {path}\n".encode() for path in gone),
        ]
        for path, text in files.items():
            octets = text.encode()
            parts.append(f"M 100644 inline {path}\ndata {len(octets)}\n".encode() + octets + b"\n")
        self._git("fast-import", "--quiet", "--date-format=raw", given=b"".join(parts) + b"done\n")
        return self.head()

    def tidy(self) -> None:
        """Let Git pack what has become many small files, if it has."""
        self._git("gc", "--auto", "--quiet", fine=(0, 1, 128))

    def text(self, commit: str, path: str) -> str:
        """Return a file as it was in a commit; '' if it was not there."""
        return self._git("cat-file", "blob", f"{commit}:{path}", fine=(0, 128))

    def blobs(self, commit: str, paths: Sequence[str]) -> Iterator[bytes | None]:
        """Yield what each of these files of a commit holds, in order, by one git(1); None for one that is not there."""
        asked = "".join(f"{commit}:{path}\n" for path in paths)
        said, at = self._octets("cat-file", "--batch", given=asked.encode()), 0
        for _ in paths:
            end = said.index(b"\n", at)
            size = said[at:end].rpartition(b" ")[2]
            if not size.isdigit():  # "… missing"
                yield None
                at = end + 1
            else:
                yield said[end + 1 : end + 1 + int(size)]
                at = end + 2 + int(size)

    def diff(self, before: str, after: str, path: str, *, context: int = 3) -> str:
        """Return the unified difference of a file between two commits."""
        arguments = ("--no-color", "--no-ext-diff", f"-U{context}", before, after, "--", path)
        return self._git("diff", *arguments)

    def counts(self, commit: str) -> dict[str, tuple[int, int]]:
        """Return path → lines added and removed by a commit."""
        said = self._git("diff-tree", "--root", "--numstat", "-r", "--no-commit-id", commit)
        rows = (line.split("\t") for line in said.splitlines())
        return {row[2]: (int(row[0]), int(row[1])) for row in rows if len(row) == 3 and row[0].isdigit()}

    def blame(self, commit: str, path: str) -> list[tuple[str, str]]:
        """Return for each line of a file the commit that brought it, and the line."""
        found: list[tuple[str, str]] = []
        of = ""
        for line in self._git("blame", "--porcelain", commit, "--", path).splitlines():
            if match := _BLAMED.match(line):
                of = match[1]
            elif line.startswith("\t"):
                found.append((of, line[1:]))
        return found

    def search(self, commit: str, pattern: str, *, regex: bool, paths: Sequence[str] = ()) -> list[Hit]:
        """Return the lines of a commit's files that hold a text, or match an extended regular expression.

        Raises UsageError (`bad-search`) for what is no expression.
        """
        how = "-E" if regex else "-F"
        words = ("grep", "-n", "-I", "-z", "--no-color", "-i", how, "-e", pattern, commit, "--", *paths)
        try:
            said = self._git(*words, fine=(0, 1))
        except SiagaError as error:
            if not regex or "-e option" not in error.sentence:
                raise
            why = safe(error.sentence.rpartition(": ")[2], 80)
            sentence = f"'{safe(pattern, 80)}' is no extended regular expression: {why}."
            raise UsageError("bad-search", sentence) from None
        return [hit for line in said.splitlines() if (hit := _hit(line))]

    def _make(self) -> None:
        if not self.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._git("init", "--quiet", "--bare", "--initial-branch=main", str(self.path), inside=False)
            self.path.chmod(0o700)

    def _git(
        self, *arguments: str, given: bytes | None = None, fine: Sequence[int] = (0,), inside: bool = True
    ) -> str:
        return self._octets(*arguments, given=given, fine=fine, inside=inside).decode(errors="replace")

    def _octets(
        self, *arguments: str, given: bytes | None = None, fine: Sequence[int] = (0,), inside: bool = True
    ) -> bytes:
        where = ("--git-dir", str(self.path)) if inside else ()
        chosen = ("core.quotePath=false", "core.fsync=all", "safe.directory=*", "gc.autoDetach=false")
        settings = [word for one in chosen for word in ("-c", one)]
        try:
            done = subprocess.run(
                ["git", *where, *settings, *arguments],
                input=given if given is not None else b"",
                capture_output=True,
                timeout=_LONGEST_S,
                check=False,
                env=_environment(),
            )
        except FileNotFoundError:
            raise SiagaError(
                "no-git", "Configurations are kept in Git, and there is no program git: install it."
            ) from None
        except subprocess.TimeoutExpired:
            raise TemporaryError("git-slow", f"git did not end within {_LONGEST_S:g} s.") from None
        if done.returncode not in fine:
            why = safe(done.stderr.decode(errors="replace"), 300) or f"exit code {done.returncode}"
            raise _failed(self.path, why)
        return done.stdout


def _failed(path: Path, why: str) -> SiagaError:
    if "No space left" in why:
        return TemporaryError("disk-full", f"{path} cannot be written: {why}")
    if "ermission denied" in why:
        return TemporaryError("configs-unavailable", f"{path} cannot be used by this user: {why}")
    return SiagaError("configs-damaged", f"The repository of configurations {path} cannot be used: {why}")


def _environment() -> dict[str, str]:
    """Return an environment in which only our own settings hold."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C.UTF-8",
        "HOME": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
    }


def _name(author: str) -> str:
    return re.sub(r"[<>\x00-\x1f]", " ", safe(author, 80)).strip() or "siaga"


def _hit(line: str) -> Hit | None:
    """Read a line of `git grep -z -n`: COMMIT:PATH, NUL, number, NUL, text."""
    where, _, rest = line.partition("\0")
    number, _, text = rest.partition("\0")
    return Hit(where.partition(":")[2], int(number), text) if number.isdigit() else None
