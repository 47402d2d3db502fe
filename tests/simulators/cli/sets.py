"""A configuration of `set` lines with a candidate that counts only after `commit`: Junos, EdgeOS."""

from tests.simulators.cli.dialect import Dialect


class Sets:
    """A remembered configuration: what is committed, and the candidate of the session that edits."""

    def __init__(self, dialect: Dialect, text: str) -> None:
        self.dialect = dialect
        self.committed = [
            line.strip() for line in text.splitlines() if line.startswith(("set ", "deactivate "))
        ]
        self.candidate = list(self.committed)
        self._words = {line.split()[1] for line in self.committed} | set(dialect.vocabulary)

    def lines(self) -> list[str]:
        """Return what is committed."""
        return list(self.committed)

    def compared(self) -> list[str]:
        """Return how the candidate differs, as lines with + and -."""
        gone = [f"- {line}" for line in self.committed if line not in self.candidate]
        return gone + [f"+ {line}" for line in self.candidate if line not in self.committed]

    def host(self) -> str | None:
        """Return the committed host name."""
        key = self.dialect.host_line
        return next(
            (line.removeprefix(key).strip("\"'") for line in self.committed if line.startswith(key)), None
        )

    def section(self, where: list[str]) -> str:
        """Return nothing: sessions stay at the top."""
        return ""

    def enter(self, line: str, where: list[str]) -> list[str] | None:
        """Take one line of configuration mode; None is success, else what the device complains."""
        word, _, rest = line.partition(" ")
        if word not in ("set", "delete") or not rest or rest.split()[0] not in self._words:
            return list(self.dialect.unknown)
        if word == "delete":
            path = f"set {rest}"
            self.candidate = [x for x in self.candidate if x != path and not x.startswith(path + " ")]
            return None
        single = next((p for p in self.dialect.single if line.startswith(p)), None)
        if single:
            self.candidate = [x for x in self.candidate if not x.startswith(single)]
        if line not in self.candidate:
            self.candidate.append(line)
        return None

    def commit(self) -> None:
        """Make the candidate count."""
        self.committed = list(self.candidate)

    def rollback(self) -> None:
        """Forget the candidate."""
        self.candidate = list(self.committed)
