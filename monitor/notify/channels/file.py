"""A file of JSON lines in siaga's home: the channel that is always there. What comes twice has the same key."""

import json
import os

from pydantic import Field

from monitor.notify.channels.webhook import as_json
from monitor.notify.letter import Later, Letter, Result, Sent
from siaga.settings import Frozen

KIND = "file"
ADDRESS = ""
DIGEST = False
SECRET = ""


class Options(Frozen):
    """The file's name in siaga's home."""

    name: str = Field("alerts.jsonl", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,60}$")


def send(letter: Letter, options: Options) -> Result:
    """Append one line for each message, in one write that is on the disk when this returns."""
    path = letter.home / options.name
    at = letter.now.isoformat()
    lines = [json.dumps({"at": at, **as_json(m)}, ensure_ascii=False) + "\n" for m in letter.messages]
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, "".join(lines).encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        return Later(f"{path} cannot be written: {error.strerror}")
    return Sent(options.name)
