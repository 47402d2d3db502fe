"""The home, the master key, and who may read or write what is secret or believed."""

import stat
from collections.abc import Iterator
from pathlib import Path

from sqlmodel import select

from inventory.database import sealed_secrets
from inventory.models import Credential, Secret
from inventory.store import reading
from monitor.doctor.finding import OK, WARNING, WRONG, Finding, Patient, many
from siaga.secrets import KEY_BYTES, key_path, open_vault
from siaga.settings import files

_OTHERS_READ, _OTHERS_WRITE = stat.S_IROTH, stat.S_IWOTH | stat.S_IWGRP
# What others may not read: secrets, sealed or not, and what keys could be worked out from.
_SECRET = ("master.key", "siaga.db", "siaga.db-wal", "alerts.jsonl", "trap-engine.json")


def home(patient: Patient) -> Iterator[Finding]:
    """Look at the home and its key."""
    folder = patient.settings.home
    if not folder.is_dir():
        yield Finding("home", WRONG, f"There is no home at {folder}.", "Run 'siaga init', or set SIAGA_HOME.")
        return
    loose = folder.stat().st_mode & 0o077
    if loose & 0o007:
        yield Finding("home", WARNING, f"{folder} is open to everybody.", f"Run: chmod 700 {folder}")
    else:
        yield Finding("home", OK, f"{folder} is there.")
    yield from _key(patient)


def _key(patient: Patient) -> Iterator[Finding]:
    path = key_path(patient.settings.home)
    try:
        size = len(path.read_bytes())
    except OSError as error:
        count = sealed_secrets(patient.settings)
        said = f"The master key {path} cannot be read ({error.strerror}); {many(count, 'secret')} sealed with it."
        todo = "Put its copy back (0400), or run 'siaga init' in a home without secrets."
        yield Finding("key", WRONG, said, todo)
        return
    if size != KEY_BYTES:
        said = f"The master key {path} has {size} octets and not {KEY_BYTES}."
        yield Finding("key", WRONG, said, "Put its copy back.")
        return
    closed = _sealed_otherwise(patient)
    if closed:
        said = f"Sealed with another key: {many(len(closed), 'credential')} ({', '.join(closed[:5])})."
        yield Finding("key", WRONG, said, "Put the right master.key back, or set these secrets again.")
        return
    yield Finding("key", OK, "The master key opens every secret.")


def _sealed_otherwise(patient: Patient) -> list[str]:
    """Return the credentials with secrets that the key does not open."""
    if patient.engine is None:
        return []
    vault = open_vault(patient.settings.home)
    with reading(patient.engine) as opened:
        rows = opened.exec(select(Credential.name, Secret.key_id).join(Secret)).all()
    return sorted({name for name, key_id in rows if key_id != vault.key_id})


def permissions(patient: Patient) -> Iterator[Finding]:
    """Look who may read what is secret, and write what is believed."""
    settings, wrong = patient.settings, False
    secret = [e.secret_file for e in settings.events if e.secret_file]
    if settings.home.stat().st_mode & stat.S_IXOTH:  # else nobody else comes to what is in it
        secret += [settings.home / n for n in _SECRET]
    for path in (p for p in secret if p.exists()):
        if path.stat().st_mode & _OTHERS_READ:
            wrong = True
            yield Finding("permissions", WRONG, f"Everybody may read {path}.", f"Run: chmod o-rwx {path}")
    believed = [
        *files(),
        *(settings.home / "rules").glob("*.toml"),
        *(settings.home / "platforms").glob("*.toml"),
    ]
    for path in (p for p in believed if p.exists()):
        if path.stat().st_mode & _OTHERS_WRITE:
            wrong = True
            said = f"Others than its owner may write {path}, and siaga does what it says."
            yield Finding("permissions", WARNING, said, f"Run: chmod go-w {path}")
    if not wrong:
        yield Finding("permissions", OK, "Secrets are read, and settings written, by their owners alone.")


def settings_files(patient: Patient) -> Iterator[Finding]:
    """Say which files the settings come from."""
    named = ", ".join(map(str, files())) or "no file; all is as siaga ships"
    yield Finding("settings", OK, f"The settings are valid: {named}.")
    missing = [p for p in _files_named(patient) if not p.exists()]
    for path in missing:
        yield Finding(
            "settings", WRONG, f"The settings name {path}, and it is not there.", "Put it there, or unset it."
        )


def _files_named(patient: Patient) -> list[Path]:
    own = patient.settings
    trusted = [own.checks.ca_file, *(r.ca_file for r in own.remote_write), *(e.ca_file for e in own.events)]
    programs = [Path(p.run[0]) for p in own.plugins.values()] + [Path(e.run[0]) for e in own.events if e.run]
    return [p for p in trusted if p is not None] + programs
