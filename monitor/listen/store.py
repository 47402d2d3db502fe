"""Who may send, from the inventory: the addresses of devices, and the credentials that traps may come with."""

from collections.abc import Iterator, Sequence

from sqlmodel import Session, col, select

from inventory.credentials import opened_many
from inventory.models import Credential, Device, Interface, Observed
from inventory.models_ipam import Address
from monitor.listen.sources import Source, Sources, sources
from monitor.store import snmp_auth
from monitor.targets import SnmpAuth, SnmpVersion
from siaga.errors import InvalidError, NotFoundError
from siaga.secrets import Vault
from siaga.text import safe


def known_sources(session: Session, relays: Sequence[str] = ()) -> Sources:
    """Return the devices that may send: by management address, by every address of theirs in the plan, by name."""
    return sources(_rows(session), relays)


def _rows(session: Session) -> Iterator[tuple[str, Source]]:
    seen = {
        o.device_id: o.value for o in session.exec(select(Observed).where(col(Observed.field) == "platform"))
    }
    devices: dict[int, Source] = {}
    for device in session.exec(select(Device).where(Device.status != "retired")):
        one = Source(device.id or 0, device.name, device.platform or seen.get(device.id or 0, ""))
        devices[one.device_id] = one
        yield device.address, one
    owners = select(Address.name, Address.device_id, Interface.device_id).outerjoin(
        Interface, col(Interface.id) == col(Address.interface_id)
    )
    for name, own, by_interface in session.exec(owners):
        owner = devices.get(own or by_interface or 0)
        if owner:
            yield name.partition(" ")[0].partition("/")[0], owner


def trap_auths(session: Session, vault: Vault, names: Sequence[str]) -> list[SnmpAuth]:
    """Return the opened credentials of these names; raises NotFoundError, or InvalidError (`bad-credential`)."""
    ids = {c.name: c.id for c in session.exec(select(Credential)) if c.id is not None}
    for name in names:
        if name not in ids:
            sentence = f"[listen] names a credential '{safe(name, 80)}', and there is none."
            raise NotFoundError("no-such-credential", sentence)
    found = opened_many(session, vault, [ids[n] for n in names]) if names else {}
    return [_usable(name, snmp_auth(found[ids[name]])) for name in names]


def _usable(name: str, auth: SnmpAuth | None) -> SnmpAuth:
    """Return a credential that traps can come with; raises InvalidError (`bad-credential`) for any other."""
    wrong = "is none of SNMP"
    if auth is not None:
        wrong = _lacking(auth)
    if auth is None or wrong:
        raise InvalidError("bad-credential", f"The credential '{safe(name, 80)}' in [listen] {wrong}.")
    return auth


def _lacking(auth: SnmpAuth) -> str:
    if auth.version is not SnmpVersion.v3:
        return "" if auth.community.get_secret_value() else "has no community"
    if not auth.user:
        return "has no user name"
    if auth.priv_protocol and not auth.auth_protocol:
        return "has privacy without authentication"
    if auth.auth_protocol and not auth.auth_secret.get_secret_value():
        return "has no secret for its authentication"
    if auth.priv_protocol and not auth.priv_secret.get_secret_value():
        return "has no secret for its privacy"
    return ""
