"""The evidence bundle: a ZIP that holds all that a report was made of, with a manifest signed by the installation.

    manifest.json  manifest.sig     every file with its size and SHA-256; the Ed25519 signature over it
    readiness.json rubric.yaml      what was judged, and by what
    facts/head.jsonl facts/*.jsonl  the snapshot, kind by kind: samples' aggregates, jobs, configurations' hashes, rows
    documents/*                     the files of the evidence register, by their hash

The same report gives the same bytes: files in one order, no times, one way of packing.
"""

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from report.snapshot import NAMED, Snapshot
from siaga.errors import InvalidError
from siaga.signing import Signer, fits
from siaga.text import safe

SCHEMA = "siaga-bundle-1"
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
JUDGED, RUBRIC = "readiness.json", "rubric.yaml"
FACTS, DOCUMENTS = "facts", "documents"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the first day a ZIP can tell
_MOST_FILES = 20_000
_MOST_BYTES = 4 << 30


def packed(
    snapshot: Snapshot, judged: bytes, rubric: bytes, documents: Mapping[str, bytes], signer: Signer
) -> bytes:
    """Return the bundle. `documents`: SHA-256 → the file."""
    files = {JUDGED: judged, RUBRIC: rubric}
    files |= {f"{FACTS}/{name}.jsonl": part for name, part in snapshot.parts.items()}
    files |= {f"{DOCUMENTS}/{name}": data for name, data in sorted(documents.items())}
    manifest = _manifest(snapshot, files, signer.public)
    signed = {MANIFEST: manifest, SIGNATURE: f"{signer.sign(manifest)}\n".encode(), **files}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, data in signed.items():
            info = zipfile.ZipInfo(name, _LONG_AGO)
            info.compress_type, info.external_attr, info.create_system = zipfile.ZIP_DEFLATED, 0o644 << 16, 3
            archive.writestr(info, data)
    return out.getvalue()


def _manifest(snapshot: Snapshot, files: Mapping[str, bytes], public: str) -> bytes:
    head = snapshot.head
    tree = {
        "schema": SCHEMA,
        "since": head.since.isoformat(),
        "until": head.until.isoformat(),
        "snapshot_sha256": snapshot.sha256,
        "key": public,
        "files": [
            {"path": path, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for path, data in files.items()
        ],
    }
    return (json.dumps(tree, ensure_ascii=False, indent=1) + "\n").encode()


# What reading a ZIP and JSON that somebody else made raises; RuntimeError for an encrypted part, and for deep nesting.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    LookupError,
    ValueError,
    TypeError,
    RuntimeError,
    EOFError,
    OSError,
)


@dataclass(frozen=True)
class Opened:
    """A bundle as it came. `problems`: files that are not what the manifest says; `signed`: its signature fits."""

    files: Mapping[str, bytes]
    key: str
    signed: bool
    problems: tuple[str, ...]

    @property
    def snapshot(self) -> bytes:
        """The snapshot's text."""
        return b"".join(self.files.get(f"{FACTS}/{name}.jsonl", b"") for name in ("head", *NAMED))


def opened(data: bytes) -> Opened:
    """Read a bundle and compare it with its manifest. Raises InvalidError (`bad-bundle`)."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > _MOST_FILES or sum(e.file_size for e in entries) > _MOST_BYTES:
                raise InvalidError("bad-bundle", "The bundle holds more than any report is made of.")
            files = {e.filename: archive.read(e) for e in entries}
        manifest = json.loads(files[MANIFEST])
        listed = {str(f["path"]): (int(f["bytes"]), str(f["sha256"])) for f in manifest["files"]}
        key, signature = str(manifest["key"]), files[SIGNATURE].decode().strip()
    except _DAMAGED:
        raise InvalidError(
            "bad-bundle", "This is no bundle of a report, or a part of it is damaged."
        ) from None
    problems = [*_compared(files, listed)]
    return Opened(files, key, fits(key, files[MANIFEST], signature), tuple(problems))


def _compared(files: Mapping[str, bytes], listed: Mapping[str, tuple[int, str]]) -> list[str]:
    rest = {n: d for n, d in files.items() if n not in (MANIFEST, SIGNATURE)}
    found = [f"{safe(n, 120)} is not in the manifest" for n in rest if n not in listed]
    found += [f"{safe(n, 120)} is not in the bundle" for n in listed if n not in rest]
    found += [
        f"{safe(n, 120)} is not what the manifest says"
        for n, d in rest.items()
        if n in listed and (len(d), hashlib.sha256(d).hexdigest()) != listed[n]
    ]
    return found
