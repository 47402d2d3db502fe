"""Where configurations come from: the newest text of each device, with when it was taken and its hash.

The backup is one such place. A folder of files is another: what an older tool left, or what a vendor handed over.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from siaga.errors import NotFoundError
from siaga.text import safe

LARGEST = 16 << 20  # octets of one configuration that are read
_ENDINGS = ("", ".cfg", ".conf", ".rsc", ".txt")


@dataclass(frozen=True)
class Text:
    """A device's configuration: normalised, of one moment.

    `whole`: whether its source knows that nothing was cut off, or that something was; None: it does not know.
    """

    device_id: int
    text: str
    at: datetime
    sha256: str
    whole: bool | None = None


class Texts(Protocol):
    """Gives the newest configuration of each of these devices (id, name); one that has none is left out."""

    def latest(self, devices: Sequence[tuple[int, str]]) -> Iterator[Text]:
        """Yield the texts one by one, in any order."""
        ...


class Folder:
    """The files of one folder, named as the devices are, with any of the usual endings; a file's age is its own."""

    def __init__(self, path: Path) -> None:
        if not path.is_dir():
            raise NotFoundError(
                "no-such-folder", f"There is no folder '{safe(path, 200)}' of configurations."
            )
        self._path = path

    def latest(self, devices: Sequence[tuple[int, str]]) -> Iterator[Text]:
        """Yield the text of each device that has a file here."""
        there = {p.name: p for p in self._path.iterdir() if p.is_file()}
        for device_id, name in devices:
            path = next((there[name + e] for e in _ENDINGS if name + e in there), None)
            if path is not None:
                yield _read(device_id, path)


def _read(device_id: int, path: Path) -> Text:
    with path.open("rb") as file:
        octets = file.read(LARGEST + 1)
    at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return text_of(device_id, octets, at)


def text_of(device_id: int, octets: bytes, at: datetime) -> Text:
    """Return the octets of a file as a configuration: UTF-8 if it is, else Latin-1; what is too long is cut."""
    cut = octets[:LARGEST]
    try:
        text = cut.decode("utf-8")
    except UnicodeDecodeError:
        text = cut.decode("latin-1")
    return Text(
        device_id,
        text,
        at,
        hashlib.sha256(octets).hexdigest(),
        whole=None if len(octets) <= LARGEST else False,
    )
