"""What is shown of the kept configurations: one version, what changed between two, who brought each line, a search.

All of it is the scrubbed form out of Git; the full texts are opened for a restore alone.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, select

from inventory.models import Device
from monitor.configs.models import ConfigVersion
from monitor.configs.repo import Repository
from monitor.configs.store import versions
from siaga.clock import as_utc
from siaga.errors import NotFoundError
from siaga.text import safe

_LINE = 2000  # characters of a line that is shown


@dataclass(frozen=True)
class Blamed:
    """A line, and the version that brought it."""

    number: int
    line: str
    at: datetime
    author: str
    cause: str
    commit: str


def device_of(session: Session, name: str) -> Device:
    """Return the device of that name; raises NotFoundError (`no-such-device`)."""
    found = session.exec(select(Device).where(Device.name == name)).first()
    if found is None:
        raise NotFoundError("no-such-device", f"No device is called '{safe(name, 80)}'.")
    return found


def version_at(session: Session, device: Device, at: datetime | None = None) -> ConfigVersion:
    """Return the version that held at a time, or the newest; raises NotFoundError (`no-backup`)."""
    found = versions(session, device.id or 0)
    chosen = next((v for v in found if at is None or as_utc(v.at) <= at), None)
    if chosen is None:
        when = " at that time" if found else ""
        raise NotFoundError("no-backup", f"There is no backup of {safe(device.name, 80)}{when}.")
    return chosen


def version_of(session: Session, device: Device, number: int) -> ConfigVersion:
    """Return the version of that number, if it is the device's; raises NotFoundError (`no-backup`)."""
    found = session.get(ConfigVersion, number)
    if found is None or found.device_id != device.id:
        raise NotFoundError(
            "no-backup", f"{safe(device.name, 80)} has no version {number} of its configuration."
        )
    return found


def shown(repository: Repository, version: ConfigVersion) -> list[str]:
    """Return the lines of a version, safe to print."""
    return [plain(line) for line in repository.text(version.commit, version.path).splitlines()]


def difference(
    repository: Repository, before: ConfigVersion, after: ConfigVersion, context: int = 3
) -> list[str]:
    """Return the unified difference between two versions, from the first hunk on."""
    if before.path != after.path:
        return list(_compared(shown(repository, before), shown(repository, after), context))
    lines = repository.diff(before.commit, after.commit, after.path, context=context).splitlines()
    first = next((i for i, line in enumerate(lines) if line.startswith("@@")), len(lines))
    return [plain(line) for line in lines[first:]]


def _compared(before: list[str], after: list[str], context: int) -> Iterator[str]:
    from difflib import unified_diff

    for line in unified_diff(before, after, n=context, lineterm=""):
        if not line.startswith(("--- ", "+++ ")):
            yield line


def blamed(session: Session, repository: Repository, device: Device, version: ConfigVersion) -> list[Blamed]:
    """Return who brought each line of a version, when and why."""
    by_commit: Mapping[str, ConfigVersion] = {v.commit: v for v in versions(session, device.id or 0)}
    found = []
    for number, (commit, line) in enumerate(repository.blame(version.commit, version.path), 1):
        brought = by_commit.get(commit, version)
        found.append(
            Blamed(number, plain(line), as_utc(brought.at), brought.author, brought.cause, commit[:10])
        )
    return found


def searched(
    session: Session, repository: Repository, text: str, *, regex: bool, ids: Collection[int] | None
) -> list[dict[str, object]]:
    """Return the lines of the newest configurations that hold a text; of the devices in `ids` alone."""
    head = repository.head()
    if not head:
        return []
    query = select(ConfigVersion.path, Device.name, Device.id).join(Device)
    names = {path: (name, i) for path, name, i in session.exec(query)}
    found = []
    for hit in repository.search(head, text, regex=regex):
        name, device_id = names.get(hit.path, ("", None))
        if name and (ids is None or device_id in ids):
            found.append({"device": name, "line": hit.number, "text": plain(hit.text)})
    return found


def plain(line: str) -> str:
    """Return a line of a configuration, bounded and without control characters, its indentation kept."""
    bare = line.lstrip(" ")
    deep = len(line) - len(bare)
    return " " * min(deep, 64) + safe(bare, _LINE)
