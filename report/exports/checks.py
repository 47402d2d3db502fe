"""What is wrong or missing in the books, as sentences for the end of a command. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from inventory.bmd import Codes
from report.exports import forms
from report.exports.fitting import lacking
from report.exports.forms import Form
from report.exports.goods import Item
from report.exports.sheets import Sheet, missing
from report.glyphs import BOX

NAMED = 5  # so many are named, the rest is counted


def sentences(form: Form, made: Sequence[Sheet], codes: Codes) -> list[str]:
    """Return what whoever keeps the books should look at; an empty cell is printed empty, and counted here."""
    items = [item for sheet in made for item in sheet.items]
    empty = dict(missing(form, made))
    if any(c.field == "quantity_register" for c in form.columns):
        without = sum(not item.register_number for item in items)
        empty |= {"Register": without} if without else {}
    if any(c.field == "good" for c in form.columns):
        without = sum(not item.condition for item in items)
        empty |= {"Keadaan": without} if without else {}
    found = []
    if empty:
        counted = ", ".join(f"{title} {count}" for title, count in empty.items())
        found.append(f"Empty cells, of {len(items)} rows: {counted}.")
    found += _unlocated(made)
    return [*found, *_unknown_codes(items, codes), *_other_serials(items), *_doubles(items)]


def _unlocated(made: Sequence[Sheet]) -> Iterator[str]:
    """The letterhead's NO. KODE LOKASI is the code of the agency."""
    label = forms.tree()["kop"]["code"]
    without = list(
        dict.fromkeys(s.agency or forms.word("no-agency") for s in made if not dict(s.kop).get(label, "x"))
    )
    if without:
        yield f"{label} is empty for {_some(without)}: it is the code of an agency (siaga agency set NAME code=…)."


def unprintable(made: Sequence[Sheet]) -> list[str]:
    """Return which rows hold what the PDF's font cannot print: it is better said than found on paper."""
    return boxed(
        item.label
        for sheet in made
        for item, row in zip(sheet.items, sheet.rows, strict=True)
        if any(isinstance(v, str) and lacking(v) for v in row)
    )


def boxed(labels: Iterable[str]) -> list[str]:
    """Return the sentence on these labels, if there are any."""
    found = list(labels)
    if not found:
        return []
    return [f"{_rows(found)} characters that the PDF's font lacks, printed as {BOX}: {_some(found)}."]


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


def _rows(items: Sequence[object]) -> str:
    return "1 row has" if len(items) == 1 else f"{len(items)} rows have"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
