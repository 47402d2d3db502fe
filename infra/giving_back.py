"""Gives a network device an earlier configuration back: the lines that lead there, typed as they are.

Which lines those are says whoever keeps the configurations (infra.around). They hold secrets, so they are a secret of
the host; what people see is the scrubbed difference. Nothing is saved on the device before a second login has worked:
until then a restart takes everything back, and so does the device itself where it can (infra/network_proof.py).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from infra.around import Given
from infra.hosts import Host
from infra.jobs import private_directory, write_private
from infra.network import Change, Entry
from infra.network_apply import Configured, opener
from infra.network_dialects import Dialect, dialect
from infra.network_proof import Attempt, Line, NotConfiguredError, prove
from infra.network_secrets import PREFIX
from infra.network_session import Access, NotReachedError, RefusedError
from siaga.errors import InvalidError, SiagaError

VERSION = "version"  # the parameter of a play that gives a configuration back: which one
LINES, SHOWN = f"{PREFIX}lines", "siaga_shown"
NOBODY = "@@ way back: none by itself: "
Restore = Callable[[str, str], Given]


def with_earlier(hosts: Sequence[Host], version: str, restore: Restore | None) -> list[Host]:
    """Return the hosts with what gives each its earlier configuration back.

    Raises InvalidError (`nothing-to-restore`) with what is wrong with each of them.
    """
    found, problems = [], []
    for host in hosts:
        try:
            if restore is None:
                raise InvalidError("no-backups", "no configurations are kept here")
            given = restore(host.name, version)
        except SiagaError as error:
            problems.append(f"'{host.name}': {error.sentence}")
            continue
        secrets = {**host.secrets, LINES: SecretStr("\n".join(given.lines))}
        found.append(
            replace(host, secrets=secrets, variables={**host.variables, SHOWN: "\n".join(given.shown)})
        )
    if problems:
        sentence = "There is nothing that could be given back; nothing was started."
        raise InvalidError("nothing-to-restore", sentence, problems)
    return found


def give_back(login: Callable[[], Line], lines: Sequence[str]) -> None:
    """Type the lines, log in anew, and save. Raises NotReachedError or NotConfiguredError.

    A line that is refused is not shown, for it may hold a secret.
    """
    line = login()
    try:
        line.send(lines)
    except RefusedError:
        said = f"The device refused one of {len(lines)} lines; those before it are in force and not saved."
        raise NotConfiguredError(said) from None
    finally:
        line.close()
    again = login()
    try:
        again.save()
    except RefusedError as error:
        raise NotConfiguredError(f"The lines are in force and could not be saved: {error}.") from None
    finally:
        again.close()


def configured(
    login: Callable[[], Line],
    spoken: Dialect,
    variables: Mapping[str, Any],
    *,
    check: bool,
    confirm_s: int = 0,
) -> Configured:
    """Give back what stands in a host's variables; with `check` only say so. Raises as `give_back` does.

    `confirm_s`: as in network_apply.configure. Where the device has no way back of its own, there is none.
    """
    lines = [line for line in str(variables.get(LINES, "")).splitlines() if line.strip()]
    if not lines:
        return Configured(False, "")
    said = _proven(login, spoken, lines, confirm_s, check=check) if confirm_s else ""
    if not check and not confirm_s:
        give_back(login, lines)
    return Configured(True, f"{said}{variables.get(SHOWN, '')}\n")


def _proven(
    login: Callable[[], Line], spoken: Dialect, lines: Sequence[str], confirm_s: int, *, check: bool
) -> str:
    """Type the lines with a way back of the device's own, if it has one; return the sentence that says so."""
    line = login()
    try:
        whole = Change(Entry((), "an earlier configuration"), True, tuple(lines), ())
        attempt = Attempt(line, login, spoken, "", (whole,), line.ask(spoken.read), confirm_s)
        alone = attempt.lacking
        if not check and not alone:
            return prove(attempt)
    except RefusedError as error:
        raise NotConfiguredError(f"Its configuration could not be read: {error}.") from None
    finally:
        line.close()
    if not check:
        give_back(login, lines)
    return f"{NOBODY}{alone}\n" if alone else attempt.way_back


def given_back(host: Host, given: Given, known_hosts: Path) -> str:
    """Give one host its configuration back now; return '' or why it could not be done."""
    try:
        with _access(host, known_hosts) as access:
            spoken = dialect(str(host.variables["siaga_platform"]))
            give_back(opener(access, spoken, {}), given.lines)
    except (NotReachedError, NotConfiguredError) as error:
        return str(error)
    except SiagaError as error:
        return error.sentence
    return ""


@contextmanager
def _access(host: Host, known_hosts: Path) -> Iterator[Access]:
    """Yield how to log in; a private key is a file in memory for so long."""
    with private_directory(known_hosts.parent) as folder:
        key = host.key.get_secret_value() if host.key is not None else ""
        key_file = str(write_private(folder / "key", key)) if key else ""
        secret = {k: v.get_secret_value() for k, v in host.secrets.items()}
        variables = host.variables
        yield Access(
            host=str(variables["ansible_host"]),
            port=int(variables["ansible_port"]),
            user=str(variables["ansible_user"]),
            password=secret.get("ansible_password", ""),
            key_file=key_file,
            enable=secret.get(f"{PREFIX}enable", ""),
            known_hosts=known_hosts,
        )
