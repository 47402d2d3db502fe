"""What is wrong or missing in the books, as sentences for the end of a command. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence

from inventory.bmd import Codes
from report.exports.forms import Form
from report.exports.goods import Item
from report.exports.sheets import Sheet, missing

NAMED = 5  # so many are named, the rest is counted


def sentences(form: Form, made: Sequence[Sheet], codes: Codes) -> list[str]:
    """Return what whoever keeps the books should look at; an empty cell is printed empty, and counted here."""
    items = [item for sheet in made for item in sheet.items]
    empty = dict(missing(form, made))
    if any(c.field == "good" for c in form.columns):
        without = sum(not item.condition for item in items)
        empty |= {"Keadaan": without} if without else {}
    found = []
    if empty:
        counted = ", ".join(f"{title} {count}" for title, count in empty.items())
        found.append(f"Empty cells, of {len(items)} rows: {counted}.")
    return [*found, *_unknown_codes(items, codes), *_other_serials(items), *_doubles(items)]


def _unknown_codes(items: Sequence[Item], codes: Codes) -> Iterator[str]:
    unknown = set(codes.unknown(i.kode_barang for i in items))
    strange = [i for i in items if i.kode_barang in unknown]
    if strange:
        yield f"{_rows(strange)} a kode barang that is not in the table of codes: {_some(sorted(unknown))}."


def _other_serials(items: Sequence[Item]) -> Iterator[str]:
    other = [i for i in items if i.device_serial and i.serial and i.serial.lower() != i.device_serial.lower()]
    if other:
        which = _some([f"{i.label} ({i.serial}; the device: {i.device_serial})" for i in other])
        yield f"{_rows(other)} another serial number than the device: {which}."


def _doubles(items: Sequence[Item]) -> Iterator[str]:
    """An item's own number, and a register within one code and agency, belong to one item."""
    numbers = Counter(f"NIBAR {i.nibar}" for i in items if i.nibar)
    registers = Counter(
        (i.agency, i.kode_barang, i.register_number) for i in items if i.kode_barang and i.register_number
    )
    twice = [number for number, count in numbers.items() if count > 1]
    twice += [f"{agency} {code} {n}".strip() for (agency, code, n), count in registers.items() if count > 1]
    if twice:
        yield f"Numbers given to more than one item: {_some(twice)}."


def _rows(items: Sequence[Item]) -> str:
    return "1 row has" if len(items) == 1 else f"{len(items)} rows have"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
