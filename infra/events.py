"""What Ansible said, as values: one event of ansible-runner becomes a TaskEvent, or nothing. No I/O.

Event names and fields: ansible_runner/display_callback/callback/awx_display.py. Everything in an event may
have been written by the host: it is bounded, and made safe to show, here and nowhere later.
"""

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from infra.host_facts import kept
from infra.scrub import scrubbed
from siaga.text import safe

DIFF_LIMIT = 20_000  # characters of diff kept of one task on one host
LINE_LIMIT = 400
MESSAGE_LIMIT = 1_000
_STATUS = {
    "runner_on_ok": "ok",
    "runner_on_failed": "failed",
    "runner_on_unreachable": "unreachable",
    "runner_on_skipped": "skipped",
    "runner_item_on_skipped": "skipped",
}
# basic.py, command.py and action/__init__.py of ansible-core say so of what has no check mode.
_UNCHECKED = re.compile(r"does not support check mode|would have run if not in check mode")
# connection/ssh.py of ansible-core says so of a host key that is not the known one, and calls the task failed.
_KEPT_OUT = re.compile(r"not possible because Host Key checking is enabled")
_NO_RESULT = re.compile(r"result deserialization failed|MODULE FAILURE")
_CHANGED = re.compile(r"^(?:\x1b\[[0-9;]*m)?changed: \[", re.MULTILINE)


@dataclass(frozen=True)
class TaskEvent:
    """One task on one host. `status`: ok, changed, skipped, failed, unreachable, ignored.

    `checked` is False when the task had to be left out because check mode cannot try it.
    """

    host: str
    task: str
    status: str
    play: str = ""
    checked: bool = True
    diff: str = ""
    message: str = ""
    duration_s: float | None = None
    facts: Mapping[str, str] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """Return it as JSON knows it."""
        return asdict(self)


def read_event(event: Mapping[str, Any]) -> TaskEvent | None:
    """Return what happened to a task on a host, or None for an event that says nothing of the kind."""
    data = event.get("event_data")
    status = _STATUS.get(str(event.get("event")))
    if status is None or not isinstance(data, Mapping) or not isinstance(data.get("host"), str):
        return None
    result = data.get("res") or (_printed(event) if status == "skipped" else None)
    result = result if isinstance(result, Mapping) else {}
    if event.get("event") == "runner_item_on_skipped" and not _left_out(status, result):
        return None  # the loop's own event follows
    return TaskEvent(
        host=data["host"],
        play=safe(data.get("play") or "", 120),
        task=safe(data.get("task") or "", 200),
        status=_status(status, event, result),
        checked=not _left_out(status, result),
        diff=_diffs(result),
        message=_message(status, result),
        duration_s=_seconds(data.get("duration")),
        facts=_facts(result),
    )


def _printed(event: Mapping[str, Any]) -> Any:
    """Return the result that was printed for a skipped task (with -v); ansible-runner hands on no other."""
    text = event.get("stdout")
    brace = text.find("=> {") if isinstance(text, str) else -1
    if brace < 0 or len(text) > 20 * DIFF_LIMIT:  # type: ignore[arg-type]
        return {}
    try:
        return json.loads(text[brace + 3 :])  # type: ignore[index]
    except (ValueError, RecursionError):
        return {}


def _status(status: str, event: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    if status == "failed" and event["event_data"].get("ignore_errors") is True:
        return "ignored"
    if status == "failed" and _KEPT_OUT.search(_text(result.get("msg"))):
        return "unreachable"
    # Of a task with no_log, ansible-runner keeps nothing but the line that was printed for it.
    said = "censored" in result and _CHANGED.search(_text(event.get("stdout")))
    return "changed" if status == "ok" and (result.get("changed") is True or said) else status


def _left_out(status: str, result: Mapping[str, Any]) -> bool:
    """Tell whether check mode left the task out: the module cannot do it, or a condition asks for it."""
    parts = [result, *_items(result)]
    said = any(_UNCHECKED.search(_text(r.get("msg"))) for r in parts if status == "skipped" or len(parts) > 1)
    return said or (status == "skipped" and "ansible_check_mode" in _text(result.get("false_condition")))


def _items(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the results of a loop's rounds."""
    results = result.get("results")
    return [r for r in results if isinstance(r, Mapping)] if isinstance(results, list) else []


def _text(value: object) -> str:
    return value[: 4 * MESSAGE_LIMIT] if isinstance(value, str) else ""


def _message(status: str, result: Mapping[str, Any]) -> str:
    failed = [r for r in _items(result) if r.get("failed")]
    said = _text(result.get("msg"))
    if status == "failed" and failed:
        said = _text(failed[0].get("msg")) or said
    if status == "failed" and (not said.strip(". ") or _NO_RESULT.search(said)):
        # What was to run there never did: the shell, or sudo, says why.
        parts = [_text(result.get(k)) for k in ("stderr", "module_stderr", "module_stdout")]
        said = " ".join([said, *filter(None, parts)]).strip(". ")
    return safe(said, MESSAGE_LIMIT)


def _seconds(value: object) -> float | None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return round(float(value), 3) if number and 0 <= value < 1e7 else None  # type: ignore[arg-type,operator]


def _facts(result: Mapping[str, Any]) -> dict[str, str]:
    found = result.get("ansible_facts")
    return kept(found) if isinstance(found, Mapping) else {}


def _diffs(result: Mapping[str, Any]) -> str:
    """Return the task's differences as text, cut at DIFF_LIMIT with a line that says so."""
    kept: list[str] = []
    room = DIFF_LIMIT
    for line in _diff_lines(result):
        room -= len(line) + 1
        if room < 0:
            return "\n".join([*kept, "… the rest of the difference is not kept"])
        kept.append(line)
    return "\n".join(kept)


def _diff_lines(result: Mapping[str, Any]) -> Iterator[str]:
    for part in [result, *_items(result)]:
        entries = part.get("diff")
        for entry in entries if isinstance(entries, list) else [entries]:
            if isinstance(entry, Mapping):
                yield from _one_diff(entry, _text(part.get("dest") or part.get("path")))


def _one_diff(entry: Mapping[str, Any], path: str) -> Iterator[str]:
    if isinstance(entry.get("prepared"), str):
        yield from map(shown_line, entry["prepared"][: 2 * DIFF_LIMIT].splitlines())
    before, after = _side(entry.get("before")), _side(entry.get("after"))
    if before == after:
        return
    name = _file_meant(entry, path)
    if before is None or after is None:
        yield f"--- {name}"
        yield "… too large to compare"
        return
    for line in difflib.unified_diff(before, after, name, name, lineterm="", n=2):
        yield line[:1] + shown_line(line[1:])


def _file_meant(entry: Mapping[str, Any], path: str) -> str:
    """Return the file on the host; of a new template Ansible names only its own temporary file here."""
    name = safe(entry.get("before_header") or path or entry.get("after_header") or "")
    return name.rpartition("/")[2].removesuffix(".j2") if "/ansible-local-" in name else name


def _side(value: object) -> list[str] | None:
    """Return one side as lines; None if it is too large to compare in reasonable time."""
    if isinstance(value, Mapping):
        return [f"{safe(k)}: {safe(v)}" for k, v in list(value.items())[:200]]
    text = value if isinstance(value, str) else ""
    return text.splitlines() if len(text) <= 20 * DIFF_LIMIT else None


def shown_line(line: str) -> str:
    """Return one line without secrets, safe to show, its spaces kept: in a diff the indentation counts."""
    pieces = re.split(r"( +)", scrubbed(line.expandtabs(8)[: 4 * LINE_LIMIT])[:LINE_LIMIT])
    return "".join(piece if piece.startswith(" ") else safe(piece, LINE_LIMIT) for piece in pieces)
