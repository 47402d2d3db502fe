"""Records a device: walks everything it has, masks it, and writes the recording and a draft of a platform file."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from secrets import token_bytes

from inventory.platform_format import Platform
from inventory.platforms import platforms
from monitor import identify
from monitor.draft import draft as drafted
from monitor.masking import masked
from monitor.observation import Reach
from monitor.private_places import KEPT
from monitor.recording import lines
from monitor.snmp import Engines, connected
from monitor.snmp_agent import Agent, Fault, Trouble
from monitor.tables import Oid, Tables, Value, oid
from monitor.targets import SnmpAuth, Target
from siaga.errors import AuthError, InvalidError, SiagaError, UsageError
from siaga.outcome import Outcome
from siaga.text import safe

# The standards' branches, LLDP's, then the makers'. SNMP's own tables of users are never asked for, and routes and
# other hosts only where nothing is masked: a walk through a full routing table would not come to what lies behind it.
_OTHERS = tuple(map(oid, ("1.3.6.1.6.3.10.2.1", "1.0.8802.1.1.2", "1.3.6.1.4.1")))
_LOOK = "What the maker's own texts mean is not known: look through them before you give the recording to anybody."
BRANCHES = (*KEPT, *_OTHERS)
BRANCHES_UNMASKED = (oid("1.3.6.1.2.1"), *_OTHERS)


def record(target: Target, file: Path, draft: str, *, most: int, unmasked: bool) -> Outcome:
    """Walk a device and write what it said; existing files are never overwritten.

    Raises UsageError (`file-exists`, `bad-name`), InvalidError (`cannot-write`), AuthError or
    SiagaError if the device says nothing.
    """
    wanted = [file, Path(draft)] if draft else [file]
    for path in wanted:
        if path.exists():
            raise UsageError("file-exists", f"{path} is there already; it was left as it is.")
        if not os.access(path.parent, os.W_OK):  # said before the device is asked for minutes
            raise InvalidError("cannot-write", f"There is no folder {path.parent} to write to.")
    name = Path(draft).stem
    if draft and not (draft.endswith(".toml") and name.replace("-", "").replace("_", "").isalnum()):
        raise UsageError(
            "bad-name", f"A draft is called NAME.toml, with letters, digits, '-' and '_': {draft}."
        )
    seen, fault = asyncio.run(_walk(target, BRANCHES_UNMASKED if unmasked else BRANCHES, most))
    if not seen:
        _refuse(target, fault)
    known = identify.identify(platforms(), Tables(seen))
    kept = seen if unmasked else _masked(seen, known, target)
    texts = ["".join(lines(kept)), drafted(name, kept) if draft else ""]
    for path, text in zip(wanted, texts, strict=False):
        _write(path, text, mode=0o600 if unmasked else 0o666)
    told = _told(target, wanted, len(kept), len(seen) - len(kept), known.name if known else "", fault)
    return told if unmasked else replace(told, messages=[*told.messages, _LOOK])


def _masked(seen: dict[Oid, Value], known: Platform | None, target: Target) -> dict[Oid, Value]:
    """Mask with a key that nobody keeps, so that no stand-in can be undone by trying."""
    serials = tuple(identify.serial_oids(known))
    return masked(seen, key=token_bytes(32), serials=serials, secrets=_asked_with(target.snmp))


def _asked_with(auth: SnmpAuth | None) -> list[str]:
    """Return what the device may repeat of how it was asked; `public` says nothing, and stands in many texts."""
    if auth is None:
        return []
    words = (auth.community, auth.auth_secret, auth.priv_secret)
    return [w for w in (auth.user, *(s.get_secret_value() for s in words)) if w not in ("", "public")]


def _write(path: Path, text: str, *, mode: int) -> None:
    try:
        with open(path, "x", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, mode)) as out:
            out.write(text)
    except OSError as error:
        raise InvalidError("cannot-write", f"{path} cannot be written: {error.strerror}.") from None


def _refuse(target: Target, fault: Fault | None) -> None:
    reason = safe(fault.reason if fault else "It has nothing.", 300)
    kind = AuthError if fault and fault.reach is Reach.refused else SiagaError
    raise kind("nothing-recorded", f"{safe(target.name, 60)} said nothing: {reason} Nothing was written.")


async def _walk(target: Target, branches: Sequence[Oid], most: int) -> tuple[dict[Oid, Value], Fault | None]:
    try:
        async with connected(target, Engines()) as agent:
            return await walk(agent, branches, most)
    except Trouble as trouble:
        return {}, trouble.fault


async def walk(agent: Agent, branches: Sequence[Oid], most: int) -> tuple[dict[Oid, Value], Fault | None]:
    """Walk branches one after the other until `most` objects came; keep what came before a fault."""
    answer = await agent.get(identify.SYSTEM)
    seen, fault = dict(answer.seen), answer.fault
    if fault is not None and not seen:
        return seen, fault
    for branch in branches:
        answer = await agent.walk([branch])
        seen.update(answer.seen)
        fault = fault or answer.fault
        if len(seen) >= most:
            return dict(sorted(seen.items())[:most]), Fault(Reach.partial, f"Stopped after {most} objects.")
        if answer.fault is not None and answer.fault.reach is not Reach.partial:
            break
    return seen, fault


def _told(
    target: Target, files: Sequence[Path], kept: int, dropped: int, known: str, fault: Fault | None
) -> Outcome:
    told = [f"{safe(target.name, 60)}: {kept} objects in {files[0]}; {dropped} were left out."]
    told.append(f"siaga knows it as {known}." if known else "siaga does not know this make yet.")
    if len(files) > 1:
        told.append(f"Next: edit {files[1]}, then siaga platform test {files[1]} {files[0]}")
    if fault:
        told.append(f"The recording is not whole: {safe(fault.reason, 300)}")
    return Outcome(messages=told, exit_code=7 if fault else 0)
