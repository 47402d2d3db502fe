"""Days of samples as Parquet, for DuckDB, Spark, ClickHouse: the one module that imports pyarrow.

pyarrow is the reference implementation, writes in a stream, and alone of the light ones lets the encoding of a
column be chosen: times and counters as differences (DELTA_BINARY_PACKED) take a fifth of plain ones.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from monitor.samples import Key, Series
from monitor.tsdb.codec import Array
from siaga.errors import SiagaError, UsageError

_ROWS = 1_000_000  # of a row group: what a reader can leave out as a whole


def write(path: Path, series: Iterable[tuple[Key, Series]]) -> int:
    """Write one row a value (device, metric, instance, at, value) and return how many; the file appears whole.

    `at` is a timestamp in UTC, of milliseconds; `value` is int64, a counter of 64 bits above 2^63 its two's
    complement (in SQL: cast it to an unsigned number). Raises UsageError when pyarrow is not installed,
    SiagaError (`export-failed`).
    """
    arrow, parquet = _libraries()
    _own(path)
    schema = arrow.schema(
        [
            ("device", arrow.int64()),
            ("metric", arrow.dictionary(arrow.int32(), arrow.string())),
            ("instance", arrow.dictionary(arrow.int32(), arrow.string())),
            ("at", arrow.timestamp("ms", tz="UTC")),
            ("value", arrow.int64()),
        ]
    )
    new = path.with_name(path.name + ".tmp")
    encoding = {"device": "DELTA_BINARY_PACKED", "at": "DELTA_BINARY_PACKED", "value": "DELTA_BINARY_PACKED"}
    options = {"compression": "zstd", "use_dictionary": ["metric", "instance"], "column_encoding": encoding}
    count = 0
    try:
        with parquet.ParquetWriter(new, schema, **options) as writer:
            for table in _tables(arrow, schema, series):
                writer.write_table(table)
                count += table.num_rows
        new.replace(path)
    except OSError as error:
        raise SiagaError("export-failed", f"{path} cannot be written: {error.strerror or error}.") from None
    finally:
        new.unlink(missing_ok=True)
    return count


def _own(path: Path) -> None:
    """Raise SiagaError (`export-failed`) where something else lies that Parquet would take the place of."""
    try:
        with path.open("rb") as there:
            if there.read(4) not in (b"PAR1", b""):
                raise SiagaError("export-failed", f"{path} is there, and is no Parquet: name another file.")
    except FileNotFoundError:
        return
    except OSError as error:
        raise SiagaError("export-failed", f"{path} cannot be written: {error.strerror or error}.") from None


def _libraries() -> tuple[Any, Any]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        sentence = "Parquet needs pyarrow, which is not installed: pip install 'siaga[parquet]'."
        raise UsageError("no-pyarrow", sentence) from None
    return pa, parquet


def _tables(arrow: Any, schema: Any, series: Iterable[tuple[Key, Series]]) -> Iterator[Any]:
    gathered: list[Any] = []
    rows = 0
    for (device, metric, instance), some in series:
        gathered.append(_table(arrow, schema, device, metric, instance, some.at_ms, some.values))
        rows += len(some.at_ms)
        if rows >= _ROWS:
            yield arrow.concat_tables(gathered).combine_chunks()
            gathered, rows = [], 0
    if gathered:
        yield arrow.concat_tables(gathered).combine_chunks()


def _table(
    arrow: Any, schema: Any, device: int, metric: str, instance: str, at_ms: Array, values: Array
) -> Any:
    count = len(at_ms)
    numbers = arrow.array([0] * count, arrow.int32())
    names = [arrow.DictionaryArray.from_arrays(numbers, [name]) for name in (metric, instance)]
    times = arrow.array(at_ms).cast(schema.field("at").type)
    columns = [arrow.array([device] * count, arrow.int64()), *names, times, arrow.array(values)]
    return arrow.Table.from_arrays(columns, schema=schema).unify_dictionaries()
