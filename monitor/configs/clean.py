"""What came over the line, as the lines a person would have seen: no control codes, no pager, one charset. Pure."""

import re

LONGEST_LINE = 20_000  # characters; a certificate on one line has 8,000
_OSC = re.compile(r"\x1b\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)")
_LEFT = re.compile(r"\x1b\[(\d{0,4})D")
_CSI = re.compile(r"\x1b(?:\[[0-?]{0,64}[ -/]{0,4}[@-~]|[()*+][A-Za-z0-9]|[=>78cDEHMNOZ])")
_MOVES = re.compile(r"[\r\b]")
_ODD = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BINARY_SHARE = 0.005  # control characters of a text that is none


class GarbledError(ValueError):
    """What came is no text; the message says why, as the end of a sentence."""


def decoded(octets: bytes) -> str:
    """Return text: UTF-8 if it is, else Windows-1252, in which every octet is something."""
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("cp1252", errors="replace")


def lines_of(octets: bytes, more: str = "") -> list[str]:
    """Return the lines as they stood on the screen; `more` is an expression for what a pager shows.

    Raises GarbledError for what is no text, or has a line of more than LONGEST_LINE characters.
    """
    text = decoded(octets)
    if "\x1b" in text:
        text = _OSC.sub("", text)
        text = _LEFT.sub(lambda found: "\b" * min(int(found[1] or 1), 512), text)
        text = _CSI.sub("", text)
    odd = len(_ODD.findall(text.replace("\b", "")))
    if "\x00" in text or odd > max(8, len(text) * _BINARY_SHARE):
        raise GarbledError("it is no text")
    text = text.replace("\r\n", "\n")
    if _MOVES.search(text) or odd:
        lines = [_on_screen(line) for line in text.split("\n")]
    else:  # nearly always: nobody has moved the cursor
        lines = list(map(str.rstrip, text.split("\n")))
    if max(map(len, lines)) > LONGEST_LINE:
        raise GarbledError(f"a line of it has more than {LONGEST_LINE} characters")
    # One look at all lines before one at each: nearly always the pager was off.
    if not more or not re.search(more, "\n".join(map(str.strip, lines)), re.MULTILINE):
        return lines
    page = re.compile(more)
    return [line for line in lines if not page.fullmatch(line.strip())]


def _on_screen(line: str) -> str:
    """Return what is left of a line in which the cursor went back and wrote over what stood there."""
    if _MOVES.search(line) is None:
        return _ODD.sub("", line).rstrip()
    screen: list[str] = []
    at = 0
    for char in line:
        if char == "\r":
            at = 0
        elif char == "\b":
            at = max(0, at - 1)
        else:
            screen[at : at + 1] = [char]
            at += 1
    return _ODD.sub("", "".join(screen)).rstrip()
