"""Credentials with their sealed parts: stored and opened here, printed nowhere."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr
from sqlmodel import Session, select

from inventory.models import Credential, Secret
from siaga.errors import InvalidError, NotFoundError
from siaga.secrets import Box, Vault

# Which parts each kind has; the first is the one `credential add` asks for.
PARTS: Mapping[str, tuple[str, ...]] = {
    "snmp-v1": ("community",),
    "snmp-v2c": ("community",),
    "snmp-v3": ("auth", "priv"),
    "ssh-password": ("password", "enable"),
    "ssh-key": ("key",),
    "password": ("password",),  # of an account that is no device's: a mail server
    "token": ("token",),  # of a bot, or the key that signs what is sent
}
MIN_V3_SECRET = 8  # RFC 3414, section 11.2


@dataclass(frozen=True)
class OpenCredential:
    """A credential with its secrets opened in memory; `secrets` by part."""

    name: str
    kind: str
    username: str
    auth_protocol: str
    priv_protocol: str
    secrets: Mapping[str, SecretStr]


def _sealed_name(credential_id: int, part: str) -> str:
    return f"credential/{credential_id}/{part}"


def store_secret(session: Session, vault: Vault, credential_id: int, part: str, secret: SecretStr) -> None:
    """Seal one part of a credential; raises InvalidError (`bad-secret`) if it cannot be one."""
    credential = session.get(Credential, credential_id)
    if credential is None:
        raise NotFoundError("no-such-credential", "The credential is gone.")
    text = secret.get_secret_value()
    if part not in PARTS[credential.kind]:
        raise InvalidError("bad-secret", f"A credential of kind {credential.kind} has no part '{part}'.")
    if not text or (part != "key" and any(c in text for c in "\r\n\0")):
        raise InvalidError(
            "bad-secret", f"The {part} of '{credential.name}' must be one line, and not empty."
        )
    if credential.kind == "snmp-v3" and len(text) < MIN_V3_SECRET:
        raise InvalidError(
            "bad-secret",
            f"The {part} secret of '{credential.name}' needs {MIN_V3_SECRET} characters (RFC 3414).",
        )
    box = vault.seal(_sealed_name(credential_id, part), text)
    row = session.get(Secret, (credential_id, part))
    if row is None:
        row = Secret(credential_id=credential_id, part=part, key_id="", nonce=b"", sealed=b"")
    row.key_id, row.nonce, row.sealed = box.key_id, box.nonce, box.sealed
    session.add(row)


def opened(session: Session, vault: Vault, credential_id: int) -> OpenCredential:
    """Open one credential; raises NotFoundError, or AuthError if it was sealed with another key."""
    return opened_many(session, vault, [credential_id])[credential_id]


def opened_many(session: Session, vault: Vault, ids: list[int]) -> dict[int, OpenCredential]:
    """Open several credentials in two queries."""
    unique = set(ids)
    credentials = [c for c in session.exec(select(Credential)) if c.id in unique]
    boxes: dict[int, dict[str, SecretStr]] = {}
    for row in session.exec(select(Secret)):
        if row.credential_id in unique:
            box = Box(row.key_id, row.nonce, row.sealed)
            text = vault.open(_sealed_name(row.credential_id, row.part), box)
            boxes.setdefault(row.credential_id, {})[row.part] = SecretStr(text)
    found = {c.id: _open(c, boxes.get(c.id, {})) for c in credentials if c.id is not None}
    if missing := unique - set(found):
        raise NotFoundError("no-such-credential", f"Credential number {min(missing)} is gone.")
    return found


def _open(c: Credential, secrets: Mapping[str, SecretStr]) -> OpenCredential:
    return OpenCredential(c.name, c.kind, c.username, c.auth_protocol, c.priv_protocol, secrets)
