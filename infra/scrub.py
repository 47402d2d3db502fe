"""Takes secrets out of differences: what a host had in its files is shown and stored, its secrets are not.

A plan shows the lines that a play would replace. On a host that somebody set up by hand, these hold
communities and passphrases (snmpd.conf(5), snmp_config(5)); they belong neither on a screen nor in a database.
"""

import re

MASK = "••••"
# Directives of net-snmp whose arguments hold a community, a passphrase or a key, also where commented out.
_DIRECTIVE = re.compile(
    r"(?i)^(?P<kept>[-+ ]?[\s#]*(?:r[ow]community6?|com2sec(?:6|unix)?|createuser|usmuser|trapcommunity"
    r"|trap2?sink|informsink|trapsess|proxy|authcommunity|defcommunity|def(?:auth|priv)?passphrase)\s+)\S.*$"
)
# Settings of any program, as name=value or name: value.
_SETTING = re.compile(
    r"(?i)^(?P<kept>.*?(?:passw(?:or)?d|passphrase|secret|token|community|psk)[\"']?\s*[=:]\s*)\S.*$"
)


def scrubbed(line: str) -> str:
    """Return one line of a difference, with `MASK` in place of what may be a secret."""
    found = _DIRECTIVE.match(line) or _SETTING.match(line)
    return f"{found['kept']}{MASK}" if found else line
