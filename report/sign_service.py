"""One order to sign a report, from arguments to a file."""

import getpass
import sys
from pathlib import Path

from pydantic import SecretStr

from report.files import write_all
from report.sign import Signature, signed
from siaga.errors import NotFoundError, UsageError
from siaga.outcome import Outcome
from siaga.settings import load
from siaga.text import safe

LIMIT = 512 << 20  # bytes of a PDF
KEY_LIMIT = 1 << 20


def sign_file(
    pdf: Path, key: Path, output: Path | None, passphrase_file: Path | None, reason: str
) -> Outcome:
    """Sign and write. Raises SiagaError; then no file is new."""
    target = output or pdf.with_suffix(".signed.pdf")
    if target == pdf:
        raise UsageError("same-file", "The signed PDF is a file of its own: choose another --output.")
    data, secret = _read(pdf, LIMIT), _read(key, KEY_LIMIT)
    place = load().custody.place
    made = signed(data, secret, _passphrase(passphrase_file), Signature(reason, place))
    write_all([(target, made)])
    row = {"pdf": str(target), "bytes": len(made), "report_bytes": len(data)}
    return Outcome(rows=[row], single=True, messages=[f"The signed report is in {target}."])


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise NotFoundError("cannot-read", f"{safe(path, 200)} cannot be read: {error.strerror}.") from None
    if len(data) > limit:
        raise UsageError("too-large", f"{safe(path, 200)} is larger than {limit} bytes.")
    return data


def _passphrase(path: Path | None) -> SecretStr:
    """Return the passphrase from a file's first line, or from the keyboard; never from an argument."""
    if path is not None:
        lines = _read(path, 4096).decode("utf-8", "replace").splitlines()
        return SecretStr(lines[0] if lines else "")
    if not sys.stdin.isatty():
        raise UsageError("no-passphrase", "There is no keyboard to ask at: give a --passphrase-file.")
    return SecretStr(getpass.getpass("Passphrase: "))
