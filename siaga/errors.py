"""What can go wrong, as one tree. An error is one full sentence an operator can act on, with a stable code.

SiagaError                  exit 1    something failed
├── UsageError              exit 2    the command line cannot be understood
├── NotFoundError           exit 3    a name or a file is not there
├── AuthError               exit 4    not allowed, or a key is missing or wrong
├── InvalidError            exit 5    input breaks a rule, or rows are in conflict; may hold many problems
├── FindingsError           exit 6    a check found something
├── PartialError            exit 7    some targets failed, others did not
├── ApprovalError           exit 8    waits for somebody's approval
└── TemporaryError          exit 75   locked or full now; the same call may work later

A silent device or a failed host is no error but a value (see monitor.observation, infra.jobs).
"""

from collections.abc import Sequence


class SiagaError(Exception):
    """Something failed; `code` is stable, the sentence says what was wrong, where, and what to do.

    `picture`: lines that point at the character meant, in what somebody wrote.
    """

    exit_code = 1

    def __init__(
        self, code: str, sentence: str, problems: Sequence[str] = (), picture: Sequence[str] = ()
    ) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.problems = tuple(problems)
        self.picture = tuple(picture)

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence}"


class UsageError(SiagaError):
    """The command line cannot be understood."""

    exit_code = 2


class NotFoundError(SiagaError):
    """A name, a row or a file is not there."""

    exit_code = 3


class AuthError(SiagaError):
    """Not allowed, or a key is missing or wrong."""

    exit_code = 4


class InvalidError(SiagaError):
    """Input breaks a rule or rows are in conflict; `problems` lists every one found."""

    exit_code = 5


class FindingsError(SiagaError):
    """A check found something, and the caller asked for an exit code in that case."""

    exit_code = 6


class PartialError(SiagaError):
    """Some targets failed, others did not."""

    exit_code = 7


class ApprovalError(SiagaError):
    """The act waits for somebody's approval."""

    exit_code = 8


class TemporaryError(SiagaError):
    """Locked, full or busy now; the same call may work later (EX_TEMPFAIL)."""

    exit_code = 75
