"""A folder of CSV files, as `siaga export csv -O FOLDER` writes it: packed into a ZIP, and read from one."""

import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from inventory.imports.octets import MAX_BYTES, file_octets
from inventory.imports.sheets import Raw
from siaga.errors import InvalidError
from siaga.text import safe

CSV = frozenset({".csv", ".tsv"})
MAX_FILES = 200


def packed(folder: Path) -> bytes:
    """Return the files of a folder as a ZIP, so that a folder and a ZIP are read in one way.

    Raises InvalidError (`bad-workbook`) with every file that is no CSV; those of which the name begins with a dot
    are a file manager's own.
    """
    if not any(p.suffix.lower() in CSV for p in folder.iterdir()):
        raise InvalidError("bad-workbook", f"{folder} is a folder without a .csv in it.")
    out = io.BytesIO()
    left = MAX_BYTES
    with zipfile.ZipFile(out, "w") as archive:
        for path in sorted(p for p in folder.iterdir() if not p.name.startswith(".")):
            octets = b"" if path.is_dir() or path.suffix.lower() not in CSV else file_octets(path)
            left -= len(octets)
            if left < 0:
                raise _too_large(folder.name)
            archive.writestr(path.name, octets)
    return out.getvalue()


def read_folder(name: str, octets: bytes, only: str = "") -> Iterator[Raw]:
    """Yield the CSV files of a ZIP as tables titled by their names, or the one called `only`."""
    from inventory.imports.csv_file import read_csv

    try:
        with zipfile.ZipFile(io.BytesIO(octets)) as archive:
            for info in _files(name, archive):
                title = PurePosixPath(info.filename).stem
                if only in ("", title):
                    raw = read_csv(f"{name}/{info.filename}", archive.read(info))
                    yield Raw(raw.source, title, raw.lines)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError) as error:
        raise InvalidError("bad-workbook", f"{name} is not a readable ZIP: {error}.") from None


def _files(name: str, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    found = [i for i in archive.infolist() if not PurePosixPath(i.filename).name.startswith(".")]
    other = [i.filename for i in found if PurePosixPath(i.filename).suffix.lower() not in CSV]
    if other:
        listed = [f"{safe(n, 80)} is no .csv" for n in other[:100]]
        raise InvalidError(
            "bad-workbook", f"{name} holds more than CSV files: put the rest elsewhere.", listed
        )
    if sum(i.file_size for i in found) > MAX_BYTES or len(found) > MAX_FILES:
        raise _too_large(name)
    return found


def _too_large(name: str) -> InvalidError:
    return InvalidError(
        "bad-workbook",
        f"{name} holds more than {MAX_FILES} files or {MAX_BYTES // 2**20} MiB: import it in parts.",
    )
