"""Makes text that came from a device or a file safe to show: bounded, one line, no control characters.

Everything foreign (sysDescr, ifAlias, banners, CLI output, cells of a workbook) goes through `safe` before
it reaches a terminal, a log line or a document. Markup is a second matter: `rich` is only ever given
`rich.text.Text`, Typst and JSON get data, never source.
"""

import unicodedata

# Bidirectional controls and zero-width characters can make a terminal or a page show another text than
# the one stored (CVE-2021-42574, "Trojan Source").
_HIDDEN = frozenset(
    chr(c) for c in (0x061C, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF)
)
LIMIT = 255


def safe(text: object, limit: int = LIMIT) -> str:
    """Return `text` on one line without control, bidirectional or unassigned characters, cut at `limit`.

    Runs of white space become one space; what was cut is marked by an ellipsis.
    """
    raw = str(text)[: limit * 4]
    if raw.isascii() and raw.isprintable():  # the usual case, and the quick one
        line = " ".join(raw.split())
        return line if len(line) <= limit else line[: limit - 1] + "…"
    kept = (" " if c.isspace() else c for c in raw if c.isspace() or _shown(c))
    line = " ".join("".join(kept).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def one(words: str) -> str:
    """Return words with the article that goes before them: 'a device', 'an address'."""
    return f"{'an' if words[:1].lower() in 'aeio' else 'a'} {words}"


def pictured(text: str, at: int, width: int = 100) -> tuple[str, str]:
    """Return two lines: the text around character `at`, and a mark below that character.

    Every character keeps its place; one that cannot be shown is a space.
    """
    plain = "".join(c if c.isprintable() and c not in _HIDDEN else " " for c in text)
    at = min(at, len(plain))
    start = max(0, at - width * 2 // 3) if len(plain) > width else 0
    part = ("…" if start else "") + plain[start : start + width] + ("…" if start + width < len(plain) else "")
    return part, " " * (at - start + (1 if start else 0)) + "^"


def _shown(char: str) -> bool:
    return char not in _HIDDEN and not unicodedata.category(char).startswith("C")


def decoded(octets: bytes, limit: int = LIMIT) -> str:
    """Return an OCTET STRING as safe text: UTF-8 if it is, else Latin-1 (older agents)."""
    cut = octets[: limit * 4]
    try:
        return safe(cut.decode("utf-8"), limit)
    except UnicodeDecodeError:
        return safe(cut.decode("latin-1"), limit)
