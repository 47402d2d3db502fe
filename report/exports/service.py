"""One order for an official sheet, from arguments to rows or a file: where the parts of this room meet."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from report import numbers
from report.exports import checks, forms
from report.exports.fitting import lacking
from report.exports.forms import ArchitectureList, Form
from report.exports.goods import Item
from report.exports.grid import Grid
from report.exports.order import Printing, Wanted, bounded, checked, chosen, regency_on, written
from report.exports.regency import Regency
from report.exports.sheets import Place, Sheet, Value, sheets
from siaga.errors import NotFoundError
from siaga.outcome import Column, Format, Outcome
from siaga.render import render
from siaga.settings import Settings
from siaga.text import safe

# Typst keeps the whole document in memory: some 90 kB for each row of 16 cells.
MAX_PDF_ROWS = 25_000
MAX_LABELS = 10_000
Lists = Sequence[tuple[ArchitectureList, Sequence[tuple[Value, ...]]]]
_DISPOSED: tuple[Callable[[Item], bool], str] = (
    lambda i: i.status == "disposed",
    "disposed of (status=disposed), which stand on no official sheet",
)


def make(
    form_name: str, wanted: Wanted, printing: Printing, session: Session, settings: Settings, now: datetime
) -> Outcome:
    """Make a KIB B or a KIR. Raises SiagaError; then no file is new."""
    form = _as_of(forms.form(form_name), printing, settings)
    suffix = checked(printing, (".xlsx", ".pdf"))
    found, regency, codes = chosen(wanted, session, settings, now)
    kept, told = _kept(form, found)
    made = sheets(form, kept, regency, _place(regency, settings, printing, now))
    messages = [*told, *checks.sentences(form, made, codes)]
    if printing.out is None:
        return listed(form, made, printing, messages)
    if not made:
        raise NotFoundError("nothing-to-print", f"No asset belongs on this sheet. {' '.join(told)}".strip())
    count = sum(len(s.rows) for s in made)
    written(printing.out, _made(suffix, form, made, printing, now, count))
    messages += checks.unprintable(made) if suffix == ".pdf" else []
    return Outcome(
        rows=[{"file": str(printing.out), "sheets": len(made), "rows": count}],
        single=True,
        format=printing.format,
        messages=[*messages, _are_in(count, "row", len(made), "sheet", printing.out)],
    )


def _as_of(form: Form, printing: Printing, settings: Settings) -> Form:
    line = _as_of_line(printing, settings)
    return replace(form, titles=(*form.titles, line)) if line else form


def _as_of_line(printing: Printing, settings: Settings) -> str:
    if printing.at is None:
        return ""
    return f"{forms.word('as-of')} {numbers.moment(printing.at, 'id', settings.timezone)}"


def _are_in(count: int, what: str, pages: int, page: str, out: object) -> str:
    return f"{_counted(count, what)} on {_counted(pages, page)} {'is' if count == 1 else 'are'} in {out}."


def _counted(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count} {what}s"


def _kept(form: Form, found: Sequence[Item]) -> tuple[list[Item], list[str]]:
    """Return what belongs on the form, and sentences on what does not and why."""
    rules: list[tuple[Callable[[Item], bool], str]] = [_DISPOSED]
    if form.prefix:
        prefix = form.prefix + "."
        rules.append(
            (
                lambda i: bool(i.kode_barang) and not i.kode_barang.startswith(prefix),
                f"in another KIB (kode barang not {prefix}…)",
            )
        )
    if form.per == "room":
        rules.append((lambda i: not i.place, "without a room (siaga asset list place='')"))
    return _without(found, rules)


def _without(
    found: Sequence[Item], rules: Sequence[tuple[Callable[[Item], bool], str]]
) -> tuple[list[Item], list[str]]:
    kept, told = list(found), []
    for is_out, why in rules:
        out = sum(map(is_out, kept))
        kept = [i for i in kept if not is_out(i)]
        told += [f"Left out: {_counted(out, 'row')} {why}."] if out else []
    return kept, told


def _place(regency: Regency, settings: Settings, printing: Printing, now: datetime) -> Place:
    return Place(
        town=safe(settings.custody.place),
        dated=numbers.day(now, "id", settings.timezone),
        province=safe(printing.province) or regency.province,
        regency=regency.name or safe(settings.custody.regency),
    )


def _made(
    suffix: str, form: Form, made: Sequence[Sheet], printing: Printing, now: datetime, count: int
) -> bytes:
    if suffix == ".xlsx":
        from report.exports.workbook import workbook

        return workbook(form, made, paper=printing.paper, now=now)
    bounded(count, MAX_PDF_ROWS, "rows")
    from report.exports.printed import as_pdf

    return as_pdf(form, made, paper=printing.paper, now=now)


def listed(form: Form, made: Sequence[Sheet], printing: Printing, messages: Sequence[str]) -> Outcome:
    """Return the sheets as rows: the asset's name, agency and room, then the form's columns."""
    where = ("name", "agency", "room") if form.per == "room" else ("name", "agency")
    keys = [*where, *(c.field for c in form.columns)]
    rows = [
        dict(zip(keys, (*(item.label, sheet.agency, sheet.room)[: len(where)], *row), strict=True))
        for sheet in made
        for item, row in zip(sheet.items, sheet.rows, strict=True)
    ]
    columns = [Column(k, k) for k in where]
    columns += [Column(c.field, c.whole, right=c.is_number) for c in form.columns]
    return Outcome(rows, columns, messages, format=printing.format, fields=printing.fields)


def make_labels(
    wanted: Wanted, printing: Printing, grid: Grid, session: Session, settings: Settings, now: datetime
) -> Outcome:
    """Make sheets of KIBAR labels. Raises SiagaError; then no file is new."""
    from report.exports import labels

    checked(printing, (".pdf",))
    grid.margins  # noqa: B018 - a grid that does not fit is said before anything is read
    found, regency, _ = chosen(wanted, session, settings, now)
    kept, messages = _without(found, [_DISPOSED])
    unnumbered = sum(not i.nibar for i in kept)
    messages += [f"Without NIBAR: {unnumbered} of {_counted(len(kept), 'row')}."] if unnumbered else []
    if printing.out is None:
        rows = [
            {"name": i.label, "agency": i.agency, "qr": labels.qr_text(i, regency.title(i.agency))}
            for i in kept
        ]
        return Outcome(rows, messages=messages, format=printing.format, fields=printing.fields)
    if not kept:
        raise NotFoundError("nothing-to-print", f"No asset was selected. {' '.join(messages)}".strip())
    bounded(len(kept), MAX_LABELS, "labels")
    cards = labels.cards(kept, regency)
    written(printing.out, labels.as_pdf(cards, regency.name or settings.custody.regency, grid, now))
    small = labels.small(cards, grid)
    if small:
        has = "has" if small == 1 else "have"
        messages.append(
            f"{_counted(small, 'code')} {has} modules below {labels.LEAST_MODULE_MM} mm: a larger --size reads better."
        )
    messages += checks.boxed(c.item.label for c in cards if any(map(lacking, labels.printed(c))))
    pages = -(-(len(kept) + grid.skip) // (grid.columns * grid.rows))
    row = {"file": str(printing.out), "labels": len(kept), "pages": pages}
    messages.append(_are_in(len(kept), "label", pages, "page", printing.out))
    return Outcome([row], single=True, format=printing.format, messages=messages)


def make_architecture(
    wanted: Wanted, printing: Printing, session: Session, settings: Settings, now: datetime
) -> Outcome:
    """Make the architecture lists (SIA-SPBE). Raises SiagaError; then no file is new."""
    from report.exports import architecture, network

    checked(printing, (".xlsx",))
    regency = regency_on(session, settings, now)
    within = network.Within(
        regency.check_agency(wanted.agency) if wanted.agency else "",
        regency.within(wanted.place) if wanted.place else None,
    )
    made = architecture.lists(network.read(session, regency), within)
    line = _as_of_line(printing, settings)
    messages = [f"{line}."] if line else []
    messages += [
        f"{one.name}: {_counted(len(rows), 'row')}; empty cells: {', '.join(empty)}."
        for one, rows in made
        if (empty := architecture.missing(one.columns, rows))
    ]
    if printing.out is None:
        return _lists(made, printing, messages)
    from report.exports.workbook import plain_workbook

    data = plain_workbook(f"SIA-SPBE {line}".strip(), [(o.name, o.columns, rows) for o, rows in made], now)
    written(printing.out, data)
    count = sum(len(rows) for _, rows in made)
    row = {"file": str(printing.out), "sheets": len(made), "rows": count}
    messages.append(_are_in(count, "row", len(made), "sheet", printing.out))
    return Outcome([row], single=True, format=printing.format, messages=messages)


def _lists(made: Lists, printing: Printing, messages: Sequence[str]) -> Outcome:
    """Return the lists as rows; as a table each has its own columns, below its name."""
    rows = [
        {"sheet": one.name, **dict(zip((c.field for c in one.columns), row, strict=True))}
        for one, of in made
        for row in of
    ]
    columns = {
        c.field: Column(c.field, c.title, right=c.is_number) for one, of in made if of for c in one.columns
    }
    whole = Outcome(
        rows,
        [Column("sheet", "sheet"), *columns.values()],
        messages,
        format=printing.format,
        fields=printing.fields,
    )
    if printing.fields or printing.format not in (Format.table, Format.wide) or not rows:
        return whole
    parts = []
    for one, of in made:
        mine = [columns[c.field] for c in one.columns if c.field in columns]
        own = Outcome([r for r in rows if r["sheet"] == one.name], mine, format=printing.format)
        parts += [f"{one.name}\n{render(own)}"] if of else []
    return replace(whole, text="\n".join(parts))
