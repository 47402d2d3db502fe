"""The configuration of airOS: one file of key=value lines behind a small Unix shell."""

import re

from tests.simulators.cli.dialect import Dialect

FILE = "/tmp/system.cfg"
_ECHO = re.compile(r"""echo ["']?([\w.-]+=[^"']*)["']? >> (\S+)""")
_SED = re.compile(r"""sed -i ["']?s([/|])\^?(.+?)=\.\*\1(.+?)=(.*?)\1["']? (\S+)""")


class Keys:
    """A remembered configuration: keys and values, in the order of their names."""

    def __init__(self, dialect: Dialect, text: str) -> None:
        self.dialect = dialect
        pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
        self.values = {key.strip(): value for key, _, value in pairs}

    def lines(self) -> list[str]:
        """Return the file's lines."""
        return [f"{key}={value}" for key, value in sorted(self.values.items())]

    def host(self) -> str | None:
        """Return the host name."""
        return self.values.get("resolv.host.1.name")

    def section(self, where: list[str]) -> str:
        """Return nothing: a shell has no sections."""
        return ""

    def enter(self, line: str, where: list[str]) -> list[str] | None:
        """Take one command of the shell; None is success, else what it says."""
        if (found := _ECHO.fullmatch(line)) and found[2] == FILE:
            key, _, value = found[1].partition("=")
            self.values[key] = value
            return None
        if (found := _SED.fullmatch(line)) and found[5] == FILE:
            if found[2] in self.values:
                self.values[found[3]] = found[4]
            return None
        return [f"-sh: {line.split()[0]}: not found"]
