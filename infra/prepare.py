"""Who is meant, and with which variables: the selected rows become hosts, or one list of all problems."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlmodel import Session

from infra import hosts as to_host
from infra import network_dialects, playbooks
from infra.frontmatter import Playbook, read_value
from infra.hosts import Host
from infra.network_rows import PARAMETER, with_connection
from infra.network_secrets import with_network_user
from inventory import layers
from inventory.credentials import OpenCredential, opened_many
from inventory.select import selected
from inventory.store import labels, rows
from siaga.errors import InvalidError, NotFoundError
from siaga.secrets import Vault

if TYPE_CHECKING:
    from infra.giving_back import Restore


@dataclass(frozen=True)
class Prepared:
    """A play with its parameters and hosts; `notes` are sentences on what the play will leave out."""

    play: Playbook
    parameters: Mapping[str, Any]
    hosts: tuple[Host, ...]
    notes: tuple[str, ...] = ()


def prepare(
    session: Session,
    vault: Vault,
    play: Playbook,
    selector: str,
    given: Mapping[str, Any],
    connection: str,
    restore: "Restore | None" = None,
) -> Prepared:
    """Return the play ready to run on the selected devices.

    `given` are the parameters somebody set; the others have their defaults. `restore` tells what gives a device an
    earlier configuration back, to a play that does so. Raises NotFoundError (`nothing-selected`), or InvalidError
    (`not-provisionable`, `nothing-to-restore`) with every problem of every device.
    """
    ids = selected(session, "device", selector)
    if not ids:
        raise NotFoundError(
            "nothing-selected", f"No device is meant by '{selector}': see 'siaga device list'."
        )
    places = {p["name"]: p["kecamatan"] for p in rows(session, "place")}
    variables = layers.merged(session, ids)
    devices = [
        {**r, "kecamatan": places.get(r.get("place"), ""), "vars": variables[r["id"]]}
        for r in rows(session, "device", ids)
    ]
    problems = [p for d in devices for p in _typed(play, d)]
    logins = _opened(session, vault, [str(d.get("ssh_credential") or "") for d in devices])
    problems += [p for d in devices for p in _problems(play, d, logins.get(str(d.get("ssh_credential"))))]
    if problems:
        raise _refusal(play, problems)
    defaults = {p.name: p.default for p in play.parameters}
    made = [to_host.host(d, logins[d["ssh_credential"]], connection, defaults, given) for d in devices]
    if name := {**defaults, **given}.get(PARAMETER):
        made = with_connection(session, made, str(name))
    hosts = _with_users(session, vault, play, devices, made, given)
    if play.gives_back:
        from infra.giving_back import VERSION, with_earlier  # it speaks to command lines, by a heavy library

        hosts = with_earlier(hosts, str({**defaults, **given}.get(VERSION, "")), restore)
    return Prepared(play, {**defaults, **given}, tuple(hosts), tuple(_notes(play, hosts)))


def _typed(play: Playbook, device: dict[str, Any]) -> list[str]:
    """Read a device's variables that are parameters of the play by their type; return what is wrong."""
    known = {p.name: p for p in play.parameters}
    own, problems = dict(device.get("vars") or {}), []
    for name in own.keys() & known.keys():
        text = ",".join(map(str, own[name])) if isinstance(own[name], list) else str(own[name])
        try:
            own[name] = read_value(known[name], text)
        except ValueError as error:
            problems.append(f"'{device['name']}': the variable {name}: {error}.")
    device["vars"] = own
    return problems


def _refusal(play: Playbook, problems: Sequence[str]) -> InvalidError:
    sentence = f"'{play.name}' cannot run on the devices selected; nothing was started."
    return InvalidError("not-provisionable", sentence, problems)


def _problems(play: Playbook, row: Mapping[str, Any], login: OpenCredential | None) -> list[str]:
    found = to_host.problems(row, login)
    platform = row.get("platform") or ""
    if platform and play.platforms and platform not in play.platforms:
        found.append(
            f"'{row['name']}' is of platform {platform}; the play is for {', '.join(play.platforms)}."
        )
    return found


def _opened(session: Session, vault: Vault, names: Sequence[str]) -> dict[str, OpenCredential]:
    ids = {name: i for i, name in labels(session, "credential").items()}
    wanted = [ids[name] for name in names if name in ids]
    return {c.name: c for c in opened_many(session, vault, wanted).values()}


def _with_users(
    session: Session,
    vault: Vault,
    play: Playbook,
    devices: Sequence[Mapping[str, Any]],
    made: Sequence[Host],
    given: Mapping[str, Any],
) -> list[Host]:
    """Return the hosts with their SNMPv3 users, if the play has a parameter for such a credential."""
    parameter = next((p for p in play.parameters if p.type == "credential"), None)
    if parameter is None:
        return list(made)
    named = str(given.get(parameter.name) or parameter.default)
    names = [named or str(d.get("credential") or "") for d in devices]
    kinds = {c["name"]: c["kind"] for c in rows(session, "credential")}
    if named and kinds.get(named) != "snmp-v3":
        raise InvalidError("bad-parameter", f"{parameter.name}: no snmp-v3 credential is called '{named}'.")
    opened = _opened(session, vault, [n for n in set(names) if kinds.get(n) == "snmp-v3"])
    found, problems = [], []
    for host, name in zip(made, names, strict=True):
        try:
            found.append(_with_user(host, opened.get(name)))
        except ValueError as error:
            problems.append(f"'{host.name}': credential '{name}' cannot be set up: {error}.")
    if problems:
        raise _refusal(play, problems)
    return found


def _with_user(host: Host, credential: OpenCredential | None) -> Host:
    """Return the host with its SNMPv3 user: keys for a server's agent, passphrases for a network device."""
    platform = str(host.variables["siaga_platform"])
    if platform in network_dialects.names():
        return with_network_user(host, credential, network_dialects.dialect(platform))
    return to_host.with_snmp_user(host, credential)


def _notes(play: Playbook, hosts: Sequence[Host]) -> list[str]:
    unmanaged = [
        h.name
        for h in hosts
        if not (h.variables["siaga_manage_packages"] and h.variables["siaga_manage_services"])
    ]
    silent = [h.name for h in hosts if h.variables.get("snmp_user") == ""]
    notes = []
    if unmanaged:
        notes.append(
            f"Only files are managed on {_names(unmanaged)}: siaga_manage_packages or siaga_manage_services is"
            " false there, so nothing is installed or restarted."
        )
    if silent:
        notes.append(f"No SNMPv3 credential is set for {_names(silent)}: the SNMP agent is left as it is.")
    return notes


def _names(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 5 else f"{', '.join(names[:4])} and {len(names) - 4} more"


def digests(prepared: Prepared, vault: Vault) -> dict[str, str]:
    """Return part → digest of everything a plan stands on, but its result.

    Host variables are marked with a key, so that a digest cannot be used to try out passwords.
    """
    targets = [[h.name, h.device_id] for h in prepared.hosts]
    parts = {
        "the playbook or one of its roles": playbooks.digest(prepared.play),
        "the parameters": digest(prepared.parameters),
        "the hosts the selector means": digest(targets),
    }
    return parts | {f"a variable or the login of '{h.name}'": vault.mark(_whole(h)) for h in prepared.hosts}


def _whole(host: Host) -> str:
    secrets = {k: v.get_secret_value() for k, v in host.secrets.items()}
    key = host.key.get_secret_value() if host.key else ""
    return json.dumps([host.alias, host.groups, host.variables, secrets, key], sort_keys=True)


def digest(value: Any) -> str:
    """Return the digest of a JSON value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
