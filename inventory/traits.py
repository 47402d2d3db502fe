"""What tells boxes apart, in normal form: what is written in two ways is one value, what says nothing is none."""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True)
class Traits:
    """Normal values by kind; an empty set is not known. A row may have several: intended and observed ones."""

    serials: frozenset[str] = frozenset()
    engines: frozenset[str] = frozenset()
    base_macs: frozenset[str] = frozenset()
    macs: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    platforms: frozenset[str] = frozenset()

    @property
    def hardware(self) -> bool:
        """Whether anything of the hardware is known."""
        return bool(self.serials or self.base_macs or self.macs or self.engines)

    def few(self) -> Iterable[tuple[str, str]]:
        """Yield (kind, value) of each value that few boxes share; base MACs count as MACs."""
        for kind in ("serials", "engines", "names", "addresses"):
            for value in getattr(self, kind):
                yield kind, value
        for value in self.base_macs | self.macs:
            yield "macs", value


@dataclass(frozen=True)
class Facts:
    """What was seen of one box, as it was said. `transport`: snmp or ssh; `port`: where it answered.

    `macs` are those of its interfaces; `more` is kept as observed but tells no boxes apart (version, location).
    """

    serial: str = ""
    engine_id: str = ""
    base_mac: str = ""
    macs: frozenset[str] = frozenset()
    sysname: str = ""
    address: str = ""
    platform: str = ""
    model: str = ""
    transport: str = ""
    port: int = 0
    more: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def traits(self) -> Traits:
        """What of it tells boxes apart."""
        return traits(
            serials=[self.serial],
            engines=[self.engine_id],
            base_macs=[self.base_mac],
            macs=self.macs,
            names=[self.sysname],
            addresses=[endpoint(self.address, self.port)],
            models=[self.model],
            platforms=[self.platform],
        )


_JUNK_SERIALS = frozenset(
    {"baseboardserialnumber", "chassisserialnumber", "defaultstring", "empty", "invalid", "noasset", "none"}
    | {"noserial", "notapplicable", "notavailable", "notpresent", "notspecified", "null", "private", "serial"}
    | {"serialnumber", "sernum", "systemserialnumber", "tobefilledbyoem", "unknown"}
)
_LIKE_ADDRESS = re.compile(r"[0-9a-fA-F:.]*[:.][0-9a-fA-F:.]*(%.+)?")  # far cheaper than ipaddress to say no
_COUNTING = "01234567890123456789"
# What boxes call themselves as they are delivered.
_DEFAULT_NAMES = frozenset(
    {"ap", "bmc", "change-me", "cisco", "debian", "default", "device", "diskstation", "dlink", "edgerouter"}
    | {"edgeswitch", "h3c", "host", "hostname", "hpe", "huawei", "idrac", "linux", "localhost", "mikrotik"}
    | {
        "nas",
        "noname",
        "none",
        "openwrt",
        "opnsense",
        "pfsense",
        "quidway",
        "raspberrypi",
        "router",
        "ruijie",
    }
    | {"server", "switch", "sysname", "test", "tplink", "ubnt", "ubuntu", "unknown", "vyos", "zte", "zxr10"}
)
# Gateways of VRRP (RFC 9568), HSRP and GLBP wander from box to box; 00:00:00 is nobody's.
_WANDERING = ("00005e0001", "00005e0002", "00000c07ac", "00000c9ff", "000573a00", "0007b400", "000000")


def serial(text: str) -> str:
    """Return a serial in capitals without punctuation; '' for one that no maker gave: a filler, zeros, a count."""
    plain = re.sub(r"[\W_]", "", text).upper()
    if len(plain) < 4 or plain.lower() in _JUNK_SERIALS or len(set(plain)) == 1 or plain in _COUNTING:
        return ""
    return plain


def hexed(text: str) -> str:
    """Return a MAC, or other octets, as hex digits only."""
    return re.sub(r"[.:\-\s]", "", text).lower()


def mac(text: str) -> str:
    """Return a MAC as 12 hex digits; '' for one that many may have: local, group, gateway and zero addresses."""
    plain = hexed(text)
    if not re.fullmatch(r"[0-9a-f]{12}", plain) or plain.startswith(_WANDERING):
        return ""
    # Bit 0 of the first octet is a group's, bit 1 one that somebody chose himself (IEEE 802-2014, section 8.2).
    return "" if int(plain[:2], 16) & 0b11 else plain


def colons(text: str) -> str:
    """Return a MAC as 00:11:22:33:44:55; anything else as it is."""
    plain = hexed(text)
    return ":".join(re.findall("..", plain)) if re.fullmatch(r"[0-9a-f]{12}", plain) else text


def base_mac(bridge: str, ports: Iterable[str]) -> str:
    """Return a box's base MAC: dot1dBaseBridgeAddress if it counts, else the lowest MAC of its physical ports."""
    return mac(bridge) or min(filter(None, map(mac, ports)), default="")


def engine_id(text: str) -> str:
    """Return an snmpEngineID (RFC 3411) as hex digits; '' where it cannot tell two boxes apart.

    One made of an address says no more than the address did when the engine first began; one that ends after
    its enterprise number is the same in every box of its make (RouterOS as it is delivered).
    """
    plain = hexed(text).removeprefix("0x")
    if not re.fullmatch(r"([0-9a-f]{2}){5,32}", plain):
        return ""
    octets = bytes.fromhex(plain)
    form = octets[4] if octets[0] & 0x80 else 0
    body = octets[5:] if form else octets[4:]
    if form in (1, 2) or len(body) < 4 or len(set(body.lstrip(b"\0"))) < 2:
        return ""
    return "" if form == 3 and not mac(body[-6:].hex()) else plain  # IOS puts a zero before the MAC


def host(text: str) -> str:
    """Return a host's name in small letters without its domain, '_' and spaces as '-'; an address stays whole."""
    plain = re.sub(r"[\s_]+", "-", text.strip().lower())
    return plain if is_address(plain) else plain.partition(".")[0]


def name(text: str) -> str:
    """Return a host's name as `host` does; '' for the one a box has as it is delivered."""
    plain = host(text)
    return "" if plain in _DEFAULT_NAMES else plain


def model(text: str) -> str:
    """Return a model in small letters without punctuation but '+', which tells some models apart."""
    return re.sub(r"[^a-z0-9+]", "", text.lower())


def alike(one: str, other: str) -> bool:
    """Tell whether two normal models may be one: equal, or one is the other with a maker or a revision."""
    shorter, longer = sorted((one, other), key=len)
    return one == other or (len(shorter) >= 4 and shorter in longer)


def platform(text: str) -> str:
    """Return a platform's name in small letters without punctuation."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def endpoint(address: str, port: int = 0) -> str:
    """Return where a box answers: its address, with the port where it is not the protocol's own."""
    if not is_address(address):
        return ""
    plain = str(ipaddress.ip_address(address))
    return plain if port in (0, 22, 161) else f"{plain} port {port}"


def is_address(text: str) -> bool:
    """Tell whether a text is an IPv4 or IPv6 address."""
    if not _LIKE_ADDRESS.fullmatch(text):
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def traits(
    *,
    serials: Iterable[str] = (),
    engines: Iterable[str] = (),
    base_macs: Iterable[str] = (),
    macs: Iterable[str] = (),
    names: Iterable[str] = (),
    addresses: Iterable[str] = (),
    models: Iterable[str] = (),
    platforms: Iterable[str] = (),
) -> Traits:
    """Return the traits of raw values (addresses as `endpoint` gives them); what says nothing is left out."""
    return Traits(
        frozenset(filter(None, map(serial, serials))),
        frozenset(filter(None, map(engine_id, engines))),
        frozenset(filter(None, map(mac, base_macs))),
        frozenset(filter(None, map(mac, macs))),
        frozenset(filter(None, map(name, names))),
        frozenset(filter(None, addresses)),
        frozenset(filter(None, map(model, models))),
        frozenset(filter(None, map(platform, platforms))),
    )
