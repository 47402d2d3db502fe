"""Writes tables as CSV (RFC 4180): UTF-8, a header, formulas made harmless as siaga.formulas says."""

import csv
import io
import zipfile
from collections.abc import Sequence
from pathlib import PurePath
from typing import IO, Any, BinaryIO, cast

from inventory.exports import cells
from inventory.exports.files import Hashed, whole, whole_directory
from inventory.exports.progress import Counted, Progress
from inventory.exports.tables import Table, flat

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest a ZIP can hold: the same rows give the same octets


def write_csv(tables: Sequence[Table], target: str, progress: Progress = None) -> str:
    """Write one table to a file or '-', several into a .zip or else a directory, a NOUN.csv for each.

    Returns the SHA-256 of a file, '' for a directory. Raises SiagaError (`cannot-write`).
    """
    counted = Counted(tables, progress)
    if PurePath(target).suffix.lower() == ".zip":
        return _zipped(tables, target, counted)
    if len(tables) == 1:
        with whole(target) as file:
            _write(tables[0], cast(BinaryIO, file), counted)
        return file.sha256
    with whole_directory(target) as opened:
        for table in tables:
            with opened(f"{table.noun}.csv") as part:
                _write(table, part, counted)
    return ""


def _zipped(tables: Sequence[Table], target: str, counted: Counted) -> str:
    with whole(target) as file:
        with zipfile.ZipFile(cast(BinaryIO, file), "w", zipfile.ZIP_DEFLATED) as archive:
            for table in tables:
                info = zipfile.ZipInfo(f"{table.noun}.csv", _EPOCH)
                info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
                with archive.open(info, "w") as part:
                    _write(table, part, counted)
        return file.sha256


_BLOCK = 2_000


def _write(table: Table, file: IO[bytes] | Hashed, counted: Counted) -> None:
    table = flat(table)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(c.name for c in table.columns)
    block: list[Any] = []
    for row in table.rows():
        block.append([cells.text(v) for v in row])
        if len(block) == _BLOCK:
            _flush(writer, buffer, block, file, counted)
    _flush(writer, buffer, block, file, counted)


def _flush(writer: Any, buffer: io.StringIO, block: list[Any], file: Any, counted: Counted) -> None:
    writer.writerows(block)
    file.write(buffer.getvalue().encode())
    buffer.seek(0)
    buffer.truncate()
    counted.add(len(block))
    block.clear()
