"""Messages as people read them, in Indonesian or English: what, where, since when, impact, what to do. Pure."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from monitor.notify.letter import Message, Text
from siaga.text import safe

SHOWN = 30  # messages of a digest; the rest is counted
_MONTHS = {
    "id": ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des"),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}
_ZONES = {"Asia/Jakarta": "WIB", "Asia/Makassar": "WITA", "Asia/Jayapura": "WIT"}
_WORDS = {
    "id": {
        "critical": "🔴 KRITIS",
        "warning": "🟡 PERINGATAN",
        "recovered": "🟢 PULIH",
        "gone": "⚪ BERAKHIR, tidak ada lagi",
        "unwatched": "⚪ BERAKHIR, tidak dipantau lagi",
        "escalated": "belum ditangani",
        "worse": "memburuk",
        "test": "🔔 UJI COBA",
        "where": "Di",
        "since": "Sejak",
        "until": "Sampai",
        "impact": "Dampak",
        "todo": "Tindakan",
        "playbook": "Playbook",
        "alert": "Alarm",
        "instead": "Rute {0} tidak dapat menyampaikan ini",
        "digest": "{0} kabar alarm: {1} baru, {2} pulih",
        "more": "… dan {0} lagi: siaga alert list",
        "d": "hari",
        "h": "jam",
        "m": "menit",
        "s": "detik",
    },
    "en": {
        "critical": "🔴 CRITICAL",
        "warning": "🟡 WARNING",
        "recovered": "🟢 RECOVERED",
        "gone": "⚪ ENDED, is not there any more",
        "unwatched": "⚪ ENDED, is not watched any more",
        "escalated": "nobody has taken it",
        "worse": "it got worse",
        "test": "🔔 TEST",
        "where": "At",
        "since": "Since",
        "until": "Until",
        "impact": "Impact",
        "todo": "To do",
        "playbook": "Playbook",
        "alert": "Alert",
        "instead": "Route {0} could not tell this",
        "digest": "{0} alerts: {1} new, {2} recovered",
        "more": "… and {0} more: siaga alert list",
        "d": "d",
        "h": "h",
        "m": "min",
        "s": "s",
    },
}


def composed(message: Message, now: datetime, language: str, zone: str) -> Text:
    """Return one message as text."""
    words = _WORDS[language]
    until = f" ({_lasted(message.since, message.ended_at or now, words)})"
    pairs = (
        ("where", message.where),
        ("since", clock(message.since, language, zone) + ("" if message.ended_at else until)),
        ("until", clock(message.ended_at, language, zone) + until if message.ended_at else ""),
        ("impact", "" if message.ended_at else message.impact),
        ("todo", "" if message.ended_at else message.todo),
        ("playbook", f"siaga plan {message.playbook} {message.device}" if message.playbook else ""),
        ("alert", f"#{message.alert_id}" if message.alert_id else ""),
    )
    lines = [message.said] if message.said else []
    lines += [f"{words[name]}: {text}" for name, text in pairs if text]
    if message.instead_of:
        lines.append(words["instead"].format(message.instead_of))
    return Text(headline(message, language), tuple(safe(line, 700) for line in lines))


def headline(message: Message, language: str) -> str:
    """Return the first line: how grave, what, where."""
    words = _WORDS[language]
    ended = words.get(message.why) or words["recovered"]
    first = ended if message.event == "recovered" else words.get(message.severity, "")
    first = words["test"] if message.event == "test" else first
    extra = f" ({words[message.event]})" if message.event in ("escalated", "worse") else ""
    what = " · ".join(p for p in (message.title, message.device, message.subject) if p)
    return safe(f"{first}: {what}{extra}", 200)


def digest(messages: Sequence[Message], language: str, zone: str) -> Text:
    """Return many messages as one text; what has opened and ended is one line."""
    words = _WORDS[language]
    ended = sum(m.event == "recovered" for m in messages)
    lines = [
        f"{headline(m, language)} [{clock(m.ended_at or m.since, language, zone)}]" for m in messages[:SHOWN]
    ]
    if len(messages) > SHOWN:
        lines.append(words["more"].format(len(messages) - SHOWN))
    first = words["digest"].format(len(messages), len(messages) - ended, ended)
    return Text(safe(first, 200), tuple(safe(line, 300) for line in lines))


def clock(at: datetime | None, language: str, zone: str) -> str:
    """Return a time as one reads it: 24 Nov 2026 10.05 WIB."""
    if at is None:
        return ""
    local = at.astimezone(ZoneInfo(zone))
    month = _MONTHS[language][local.month - 1]
    return f"{local.day} {month} {local.year} {local:%H.%M} {_ZONES.get(zone, local.tzname() or '')}".strip()


def _lasted(start: datetime, end: datetime, words: dict[str, str]) -> str:
    left = max(int((end - start).total_seconds()), 0)
    parts: list[str] = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s")):
        if left >= size or (unit == "s" and not parts):
            parts.append(f"{left // size} {words[unit]}")
            left %= size
    return " ".join(parts[:2])
