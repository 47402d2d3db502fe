"""Takes secrets out of single lines of configurations before they are kept as evidence. Pure.

The backup's texts are scrubbed already; a folder of files may not be. A word that announces a secret is followed by
it, perhaps after the number of its kind; everything to the line's end goes, because passwords have spaces too.
"""

import re

_WORDS = (
    r"pass(?:word|wd|phrase|code)?s?|secret|psk(?:secret)?|key(?:-string|-data|chain)?|pre-shared-key|private-key"
    r"|communit(?:y|ies)|cipher|simple|auth(?:entication)?-(?:password|pwd|key)|auth (?:md5|sha[\w-]*)"
    r"|priv (?:3?des|aes(?: ?\d+)?)|encryption-password|token|api-?key|rocommunity6?|rwcommunity6?"
)
_KEYED = re.compile(rf"(?i)(?<![\w-])(?P<word>[\w-]*(?:{_WORDS}))(?P<sign>=|: ?| )(?P<rest>.*)$")
_PAIR = re.compile(r'("(?:[^"\\]|\\.)*"|\S+)')
# What says whether a secret is wanted, not the secret.
_HARMLESS = re.compile(
    r"(?i)^(?:yes|no|enable|disable|any|none|encryption|policy|ssh-userauth|required|is|min|max)\b"
)
MARK = "***"
_NAME = re.compile(r'((?:^|\s)name[= ])("(?:[^"\\]|\\.)*"|\S+)')


def scrubbed(line: str, section: str = "") -> str:
    """Return the line with what may be a secret replaced by three stars; the name of an SNMP community is one."""
    if "snmp community" in section:
        line = _NAME.sub(rf"\1{MARK}", line)
    at, out = 0, []
    while found := _KEYED.search(line, at):
        start = found.start("rest")
        if _HARMLESS.match(found["rest"]):
            out.append(line[at:start])
            at = start
            continue
        out.append(line[at:start])
        if found["sign"] == " ":
            return "".join(out) + MARK
        value = _PAIR.match(line, start)
        out.append(MARK)
        at = value.end() if value else len(line)
    return "".join(out) + line[at:]
