"""Which reader a source needs: a file by its format, another system by its name."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from inventory.imports import reading
from inventory.imports.sheets import Taken
from siaga.errors import UsageError

# The words that name another system, and what stands after each.
WORDS: Mapping[str, str] = {
    "netbox": "the URL of a NetBox, or a CSV file or folder of its exports",
    "librenms": "the URL of a LibreNMS",
    "ansible": "an Ansible inventory, or - for the output of ansible-inventory --list",
    "oxidized": "a router.db",
    "devicetypes": "a file or folder of the devicetype-library",
}
_REGENCY = re.compile(rb"^kecamatan:\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Asked:
    """What somebody wants imported, and how it is to be read."""

    source: str
    where: str = ""
    noun: str = ""
    fmt: str = ""
    map: str = ""
    delimiter: str = ""
    fields: tuple[str, ...] = ()
    only: str = ""
    region_kinds: str = ""
    ca_file: str = ""
    token: SecretStr | None = None
    illustrative: bool = False

    @property
    def label(self) -> str:
        """How the source is called in messages and in the run."""
        return f"{self.source} {self.where}".strip()


def take(asked: Asked) -> Taken:
    """Read a source; raises SiagaError with one sentence, or with every problem of its form."""
    if asked.source not in WORDS:
        if asked.where:
            words = ", ".join(WORDS)
            raise UsageError(
                "unknown-source", f"'{asked.source}' is no system that siaga imports from; it knows {words}."
            )
        return _file(asked)
    if not asked.where:
        raise UsageError("no-source", f"Say after '{asked.source}' where it is: {WORDS[asked.source]}.")
    readers: Mapping[str, Callable[[Asked], Taken]] = {
        "netbox": _netbox,
        "librenms": _librenms,
        "ansible": _ansible,
        "oxidized": _oxidized,
        "devicetypes": _devicetypes,
    }
    return readers[asked.source](asked)


def draft_map(asked: Asked) -> str:
    """Return a column map to begin with for a CSV file or workbook; raises UsageError (`no-map-for-this`)."""
    from inventory.imports.draft import draft

    name, octets, fmt = reading.opened(asked.source, asked.fmt)
    _refuse_map(asked, fmt)
    return draft(reading.read_raw(name, octets, fmt), asked.source, asked.noun)


def _file(asked: Asked) -> Taken:
    name, octets, fmt = reading.opened(asked.source, asked.fmt)
    if asked.map:
        _refuse_map(asked, fmt)
        return _mapped(asked, name, octets, fmt)
    if fmt == "yaml" and _REGENCY.search(octets):
        from inventory.imports.regency import is_regency, regency
        from inventory.imports.yaml_file import read_mapping

        tree = read_mapping(name, octets)
        if is_regency(tree):
            return regency(name, tree, Path(asked.source).parent, illustrative=asked.illustrative)
    return Taken(reading.sheets_of(asked.source, name, octets, fmt, asked.noun))


def _mapped(asked: Asked, name: str, octets: bytes, fmt: str) -> Taken:
    from inventory.imports.column_map import mapped, read_map

    tables = [t for t in read_map(asked.map) if asked.noun in ("", t.noun)]
    return Taken(mapped(reading.read_raw(name, octets, fmt), tables, asked.source))


def _refuse_map(asked: Asked, fmt: str) -> None:
    if fmt == "yaml" or asked.source in WORDS:
        raise UsageError("no-map-for-this", "A column map is for CSV files and workbooks.")


def _netbox(asked: Asked) -> Taken:
    from inventory.imports.netbox.api import netbox, region_kinds
    from inventory.imports.netbox.exported import exported, is_exported

    if is_exported(asked.where):
        return exported(asked.where, only=asked.only, kinds=region_kinds(asked.region_kinds))
    return netbox(
        asked.where, asked.token, only=asked.only, regions=asked.region_kinds, ca_file=asked.ca_file
    )


def _librenms(asked: Asked) -> Taken:
    from inventory.imports.librenms import librenms

    return librenms(asked.where, asked.token, ca_file=asked.ca_file)


def _ansible(asked: Asked) -> Taken:
    from inventory.imports.ansible import ansible, listed
    from inventory.imports.decoding import text_of

    if asked.where == "-" or asked.where.endswith(".json"):
        name, octets, _ = reading.opened(asked.where, "yaml")
        return ansible(name, text_of(octets, name))
    return ansible(Path(asked.where).name, listed(asked.where))


def _oxidized(asked: Asked) -> Taken:
    from inventory.imports.decoding import text_of
    from inventory.imports.oxidized import oxidized

    name, octets, _ = reading.opened(asked.where, "csv")
    delimiter = asked.delimiter or ":"
    return oxidized(name, text_of(octets, name), delimiter=delimiter, fields=asked.fields)


def _devicetypes(asked: Asked) -> Taken:
    from inventory.imports.devicetypes import devicetypes

    return devicetypes(asked.where)
