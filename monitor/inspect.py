"""Looks at one device now, whether the inventory knows it or not, and stores nothing."""

import asyncio
import os
import sys
from pathlib import Path

import typer
from pydantic import SecretStr

from inventory.platforms import named
from monitor.describe import described
from monitor.login_options import Asking
from monitor.observation import Reach, as_json
from monitor.targets import NO_SECRET, SnmpAuth, SnmpVersion, SshAuth, Target
from siaga.clock import utc_now
from siaga.errors import NotFoundError, SiagaError, UsageError
from siaga.outcome import Format, Outcome
from siaga.settings import Settings
from siaga.text import safe
from siaga.who import who

EXIT_CODES = {Reach.up: 0, Reach.partial: 7, Reach.refused: 4, Reach.silent: 1, Reach.garbage: 1}


def look(settings: Settings, asking: Asking, output: Format) -> Outcome:
    """Read the device and return it as one row; the exit code says how far it could be reached."""
    from monitor.poller import ask

    settings = patient(settings, asking)
    target = target_of(settings, asking)
    if asking.platform and target.snmp is not None:
        named(asking.platform)
    seen = asyncio.run(ask([target], settings, now=utc_now))[0]
    messages = [f"{seen.reach.value}: {safe(seen.reason, 500)}"] if seen.reach is not Reach.up else []
    return Outcome(
        [as_json(seen)],
        single=True,
        text=described(seen, output),
        messages=messages,
        exit_code=EXIT_CODES[seen.reach],
        format=output,
    )


def target_of(settings: Settings, asking: Asking) -> Target:
    """Return whom to ask and how: a device by name, or an address with the credential given or named."""
    if (settings.home / "siaga.db").exists() or settings.database_url:
        known = _from_inventory(settings, asking)
        if known is not None:
            return known
    elif asking.credential:
        raise NotFoundError("not-initialised", f"There is no inventory in {settings.home}: run 'siaga init'.")
    address, port = split_host(asking.host)
    snmp, ssh = (None, _ssh(asking)) if asking.ssh else (_snmp(asking), None)
    return Target(
        name=asking.host,
        address=address,
        snmp_port=port or 161,
        ssh_port=port or 22,
        platform=asking.platform,
        snmp=snmp,
        ssh=ssh,
        timeout_s=settings.poll.timeout_s,
        retries=settings.poll.retries,
    )


def patient(settings: Settings, asking: Asking) -> Settings:
    """Return the settings with the command line's own time-out and tries, where it gives any."""
    waits = {} if asking.timeout_s is None else {"timeout_s": asking.timeout_s}
    tries = {} if asking.retries is None else {"retries": asking.retries}
    changed = {
        "poll": settings.poll.model_copy(update={**waits, **tries}),
        "ssh": settings.ssh.model_copy(update=waits),
    }
    return settings.model_copy(update=changed)


def explicit(asking: Asking) -> bool:
    """Tell whether the command line says itself how to log in: then that is tried, not what is stored."""
    return bool(
        asking.user or asking.community_file or asking.community_env or asking.snmp != "2c" or asking.ssh
    )


def _from_inventory(settings: Settings, asking: Asking) -> Target | None:
    """Return the target of a device known by name, or one made with a credential known by name."""
    from dataclasses import replace

    from sqlmodel import select

    from inventory.credentials import opened
    from inventory.models import Credential, Device
    from inventory.store import open_engine, reading
    from monitor.store import snmp_auth, ssh_auth, targets
    from siaga.secrets import open_vault

    with reading(open_engine(settings)) as session:
        device = session.exec(select(Device).where(Device.name == asking.host)).first()
        target = targets(session, [device], open_vault(settings.home), settings)[0] if device else None
        if not asking.credential:
            if target is None or not explicit(asking):
                return target
            snmp, ssh = (None, _ssh(asking)) if asking.ssh else (_snmp(asking), None)
            return replace(target, snmp=snmp, ssh=ssh, platform=asking.platform or target.platform)
        row = session.exec(select(Credential).where(Credential.name == asking.credential)).first()
        if row is None or row.id is None:
            raise NotFoundError("no-such-credential", f"No credential is called '{asking.credential}'.")
        credential = opened(session, open_vault(settings.home), row.id)
    if target is None:
        address, port = split_host(asking.host)
        target = Target(asking.host, address, port or 161, port or 22)
    return replace(
        target,
        platform=asking.platform or target.platform,
        snmp=snmp_auth(credential),
        ssh=ssh_auth(credential),
        timeout_s=settings.poll.timeout_s,
        retries=settings.poll.retries,
    )


def split_host(text: str) -> tuple[str, int]:
    """Return (address, port or 0) of HOST, HOST:PORT or [IPv6]:PORT, names resolved.

    Raises UsageError (`bad-host`) or NotFoundError (`unknown-host`).
    """
    import ipaddress
    import socket

    host, port = text, ""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if port and not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        raise UsageError("bad-host", f"'{safe(text)}' has no port from 1 to 65535.")
    try:
        return str(ipaddress.ip_address(host)), int(port or 0)
    except ValueError:
        pass
    try:
        return str(socket.getaddrinfo(host, None)[0][4][0]), int(port or 0)
    except (OSError, UnicodeError):
        sentence = f"'{safe(host)}' is no device of the inventory, no address, and no name that resolves."
        raise NotFoundError("unknown-host", sentence) from None


def _snmp(asking: Asking) -> SnmpAuth:
    if asking.snmp == "3":
        if not asking.user:
            raise UsageError("no-user", "SNMPv3 needs --user.")
        _known_protocol("auth_protocol", asking.auth)
        _known_protocol("priv_protocol", asking.priv)
        _in_pairs(asking)
        return SnmpAuth(
            version=SnmpVersion.v3,
            user=asking.user,
            auth_protocol=asking.auth,
            auth_secret=_secret(asking.auth_file),
            priv_protocol=asking.priv,
            priv_secret=_secret(asking.priv_file),
        )
    if asking.snmp not in ("1", "2c"):
        raise UsageError("bad-version", f"SNMP version '{safe(asking.snmp)}' is none of 1, 2c, 3.")
    community = _secret(asking.community_file, asking.community_env, "public")
    return SnmpAuth(version=SnmpVersion(asking.snmp), community=community)


def _in_pairs(asking: Asking) -> None:
    """Refuse a protocol without its passphrase, and the reverse: neither is asked for with less than was meant."""
    for option, protocol, file in (
        ("auth", asking.auth, asking.auth_file),
        ("priv", asking.priv, asking.priv_file),
    ):
        if bool(protocol) is not bool(file):
            raise UsageError(
                "half-given", f"--{option} and --{option}-file are given together or not at all."
            )
    if asking.priv and not asking.auth:
        raise UsageError(
            "half-given", "Privacy (--priv) needs authentication (--auth): SNMPv3 has none without it."
        )


def _known_protocol(field: str, name: str) -> None:
    from inventory.models import Credential

    known = Credential.CHOICES[field]
    if name not in known:
        offered = ", ".join(filter(None, known))
        raise UsageError(
            "bad-protocol", f"'{safe(name, 40)}' is no {field.replace('_', ' ')}; there are {offered}."
        )


def _ssh(asking: Asking) -> SshAuth:
    if not asking.user:
        raise UsageError("no-user", "SSH needs --user.")
    return SshAuth(user=asking.user, password=_secret(asking.password_file))


def _secret(file: str, variable: str = "", default: str = "") -> SecretStr:
    if variable:
        if variable not in os.environ:
            raise NotFoundError("no-such-variable", f"There is no variable {safe(variable)}.")
        return SecretStr(os.environ[variable])
    if not file:
        return SecretStr(default) if default else NO_SECRET
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise NotFoundError("no-such-file", f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise NotFoundError("no-such-file", f"{file} cannot be read: it is no text in UTF-8.") from None
    return SecretStr(lines[0] if lines else "")


def accept_host_key(settings: Settings, name: str, *, yes: bool) -> Outcome:
    """Show the key a device presents now, and trust it when a person agrees."""
    from sqlmodel import select

    from inventory.host_keys import ACCEPTED, KNOWN_HOSTS, note_keys
    from inventory.models import Device
    from inventory.store import open_engine, reading
    from inventory.store import session as writing
    from monitor.dial import MissedError
    from monitor.ssh import present_key
    from siaga.hostkeys import HostKeys

    engine = open_engine(settings)
    with reading(engine) as session:
        device = session.exec(select(Device).where(Device.name == name)).first()
    if device is None:
        raise NotFoundError("no-such-device", f"No device is called '{safe(name)}'.")
    try:
        key = present_key(Target(name, device.address, ssh_port=device.ssh_port), settings.ssh.timeout_s)
    except MissedError as missed:
        raise SiagaError("no-host-key", missed.reason) from None
    question = f"{name} ({device.address}:{device.ssh_port}) shows {key.kind} {key.fingerprint}. Trust it?"
    if not yes and not (sys.stdin.isatty() and typer.confirm(question, err=True)):
        raise UsageError("not-confirmed", f"{question[:-11]}. Nothing was changed; --yes trusts it.")
    HostKeys(settings.home / KNOWN_HOSTS).trust(device.address, device.ssh_port, key)
    with writing(engine) as opened:
        note_keys(opened, [(device.name, key)], who=who(), how=ACCEPTED, now=utc_now(), cause="trust")
    return Outcome(messages=[f"{name} is trusted with {key.kind} {key.fingerprint}."])
