"""Supplies and trays of printers (Printer-MIB, RFC 3805): pure functions from tables to how much is left."""

from collections.abc import Iterator

from monitor.observation import Supply
from monitor.tables import Oid, Tables, Value, dotted, oid

_MARKER = oid("1.3.6.1.2.1.43.11.1.1")  # prtMarkerSuppliesEntry; index: hrDeviceIndex, number
_TYPE, _DESCR, _MOST, _LEVEL = ((*_MARKER, n) for n in (5, 6, 8, 9))
_CLASS = (*_MARKER, 4)  # prtMarkerSuppliesClass
_INPUT = oid("1.3.6.1.2.1.43.8.2.1")  # prtInputEntry; index: hrDeviceIndex, number
_TRAY_MOST, _TRAY_LEVEL, _TRAY_NAME, _TRAY_DESCR = ((*_INPUT, n) for n in (9, 10, 13, 18))
COLUMNS = ((_CLASS, _TYPE, _DESCR, _MOST, _LEVEL), (_TRAY_MOST, _TRAY_LEVEL, _TRAY_NAME, _TRAY_DESCR))
_SOME = -3  # at least one unit is left
_RECEPTACLE = 4  # of PrtMarkerSuppliesClassTC: fills instead of emptying
_KINDS = {
    3: "toner", 4: "wasteToner", 5: "ink", 6: "inkCartridge", 7: "inkRibbon", 8: "wasteInk", 9: "opc",
    10: "developer", 11: "fuserOil", 14: "wasteWax", 15: "fuser", 16: "coronaWire", 18: "fuserCleaningPad",
    19: "fuserOilWick", 20: "transferUnit", 21: "tonerCartridge", 22: "fuserOiler", 32: "staples",
}  # fmt: skip


def supplies(tables: Tables) -> Iterator[Supply]:
    """Yield what a printer uses up, then its trays. A level that is unknown is not observed and not listed."""
    for index, level in tables.column(_LEVEL).items():
        kind = tables.number(_TYPE + index)
        name = tables.text(_DESCR + index) or "Supply"
        yield from _supply(
            name, _KINDS.get(kind or 0, "supply"), level, _MOST + index, _LEVEL + index, tables
        )
    for index, level in tables.column(_TRAY_LEVEL).items():
        name = tables.text(_TRAY_DESCR + index) or tables.text(_TRAY_NAME + index) or "Tray"
        yield from _supply(name, "input", level, _TRAY_MOST + index, _TRAY_LEVEL + index, tables)


def _supply(name: str, kind: str, level: Value, most_at: Oid, at: Oid, tables: Tables) -> Iterator[Supply]:
    most = tables.number(most_at)
    if not isinstance(level, int):
        return
    if level == _SOME:
        yield Supply(name, kind, None, dotted(at), remark="some is left")
    elif level >= 0 and most and most > 0:
        yield Supply(name, kind, round(min(100.0, 100 * level / most), 1), dotted(at))
    elif 0 <= level <= 100 and most == -2 and kind != "input":
        yield Supply(name, kind, float(level), dotted(at))
