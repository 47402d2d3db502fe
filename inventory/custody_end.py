"""What becomes of a BAST: it is signed by both, or cancelled before it is."""

from datetime import date
from hashlib import sha256
from pathlib import Path

from sqlalchemy import select
from sqlmodel import Session

from inventory import store
from inventory.custody import change_set_of, custody_id
from inventory.nouns import noun
from inventory.problems import BadRowError
from inventory.undo import entries, undo
from inventory.writing import Writer
from siaga.errors import InvalidError, NotFoundError
from siaga.text import safe


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file as hex; raises NotFoundError (`no-such-file`), InvalidError (`empty-file`)."""
    try:
        with path.open("rb") as file:
            whole = sha256()
            while block := file.read(1 << 20):
                whole.update(block)
            size = file.tell()
    except OSError as error:
        raise NotFoundError("no-such-file", f"{path} cannot be read: {error.strerror}.") from None
    if not size:
        raise InvalidError("empty-file", f"{path} is empty: it is no signed document.")
    return whole.hexdigest()


def sign(writer: Writer, number: str, digest: str, dated: date) -> None:
    """Mark a BAST as signed and keep the signed document's SHA-256, here and among the evidence.

    Raises NotFoundError (`no-such-custody`), InvalidError (`custody-not-draft`, `signed-too-early`).
    """
    row_id = custody_id(writer.session, number)
    (row,) = store.rows(writer.session, "custody", [row_id])
    _only_drafts(row["status"], number, "signed")
    if dated < row["dated"]:
        raise InvalidError(
            "signed-too-early", f"{safe(number)} is of {row['dated']}: it cannot be signed on {dated}."
        )
    writer.set("custody", row_id, {"status": "signed", "sha256": digest})
    signers = ", ".join(str(p) for p in (row["from_person"], row["to_person"]) if p)
    evidence = {"name": number, "kind": "bast", "title": f"Berita acara serah terima {number}"}
    writer.put("evidence", {**evidence, "dated": dated, "signer": signers[:255], "sha256": digest})


def cancel(writer: Writer, number: str) -> None:
    """Mark a draft as cancelled and take back what it changed; its number stays used.

    Raises NotFoundError (`no-such-custody`), InvalidError (`custody-not-draft`, `custody-moved-on`).
    """
    session = writer.session
    row_id = custody_id(session, number)
    (row,) = store.rows(session, "custody", [row_id])
    _only_drafts(row["status"], number, "cancelled")
    later = _later(session, row_id)
    if later:
        raise InvalidError(
            "custody-moved-on",
            f"The assets of {safe(number)} changed hands again by {', '.join(map(safe, later))}: cancel that first.",
        )
    change_set = change_set_of(session, number)
    changes = entries(session, change_set) if change_set is not None else []
    try:
        undo(writer, [c for c in changes if c["noun"] in ("asset", "device") and c["action"] == "set"])
    except BadRowError as error:
        raise InvalidError(
            "custody-moved-on",
            f"What {safe(number)} changed was changed again since: set it right by hand, or return the assets.",
            [p for _, p in error.problems],
        ) from None
    writer.set("custody", row_id, {"status": "cancelled"})


def _only_drafts(status: str, number: str, act: str) -> None:
    if status == "draft":
        return
    hint = ": record a return instead" if (status, act) == ("signed", "cancelled") else ""
    raise InvalidError(
        "custody-not-draft",
        f"{safe(number)} is {status} and cannot be {act}{hint}.",
    )


def _later(session: Session, row_id: int) -> list[str]:
    """Return the numbers of later BASTs, not cancelled, of any of the same assets."""
    custody, item = noun("custody").table, noun("custody_item").table
    own = select(item.c.asset_id).where(item.c.custody_id == row_id)
    query = (
        select(custody.c.name)
        .join(item, item.c.custody_id == custody.c.id)
        .where(item.c.asset_id.in_(own), custody.c.id > row_id, custody.c.status != "cancelled")
        .distinct()
        .order_by(custody.c.name)
        .limit(5)
    )
    return list(session.execute(query).scalars())
