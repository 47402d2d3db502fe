"""Takes what was observed over as what is intended: the box is right and the book is wrong."""

from collections.abc import Collection, Sequence

from inventory import disagreements
from inventory.decisions import types
from inventory.disagreements import Disagreement
from inventory.problems import BadRowError
from inventory.traits import model
from inventory.writing import Writer

DEVICE = ("serial", "platform", "name", "device_type")
PORT = ("alias", "speed_bps", "mac", "enabled")
FIELDS = (*DEVICE, *PORT)


def adopt(writer: Writer, device_ids: Sequence[int], fields: Collection[str]) -> None:
    """Set the intended value of these fields to the observed one, wherever they differ.

    A field that is empty on purpose is not filled: only what contradicts is taken over.
    Raises BadRowError with every value that cannot be intended.
    """
    problems: list[tuple[str, str]] = []
    for device_id, found in disagreements.of(writer.session, device_ids).items():
        device = writer.keys.label("device", device_id)
        for port, some in _by_row(found, fields).items():
            row_id = writer.keys.find("interface", f"{device}:{port}") if port else device_id
            try:
                values = {field: _intended(writer, field, one) for field, one in some.items()}
                writer.set("interface" if port else "device", row_id or 0, values)
            except BadRowError as error:
                problems += [(f, f"{device}: {sentence}") for f, sentence in error.problems]
    if problems:
        raise BadRowError(problems)


def _by_row(found: Sequence[Disagreement], fields: Collection[str]) -> dict[str, dict[str, Disagreement]]:
    """Return port ('' is the device) → field → what differs; the device last: its ports are known by its old name."""
    rows: dict[str, dict[str, Disagreement]] = {}
    for one in found:
        port, _, field = one.field.rpartition(" ")
        if field in fields and not one.hint:
            rows.setdefault(port, {})[field] = one
    return dict(sorted(rows.items(), reverse=True))


def _intended(writer: Writer, field: str, one: Disagreement) -> str:
    """Return an observed value as an operator would write it."""
    if field == "device_type":
        fitting = sorted(types(writer).get(model(str(one.observed)), ()))
        if len(fitting) != 1:
            many = f"{len(fitting)} device types are" if fitting else "no device type is"
            sentence = f"{many} the model '{one.observed}': set device_type by hand, or add the type first"
            raise BadRowError([(field, sentence)])
        return fitting[0]
    if field == "enabled":
        return "yes" if one.observed else "no"
    return str(one.observed)
