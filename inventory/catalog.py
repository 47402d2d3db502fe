"""What is shown of each noun: names only, so that a plain list need not load the tables' libraries."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Spec:
    """A noun: the columns of a list, the natural key, shorthands for selectors, and what it is in one line.

    `naming` says what its name may be: name (a plain one), cidr, range, address, or free. `auto`: the fields a
    name is made of, between slashes, when none is given. `plural` names a group in files. A noun that is
    `seen` is written by siaga alone, from what it observed.
    """

    name: str
    shown: tuple[str, ...]
    help: str
    key: tuple[str, ...] = ("name",)
    wide: tuple[str, ...] = ()
    paths: Mapping[str, str] = field(default_factory=dict)
    table: str = ""
    naming: str = "name"
    auto: tuple[str, ...] = ()
    seen: bool = False

    def ordered(self, names: Collection[str]) -> list[str]:
        """Return field names in the order of a list: the key, what is shown, what is wide, then the others."""
        first = [
            n for n in dict.fromkeys((*self.key, *self.shown, *self.wide)) if n in names and n != "notes"
        ]
        last = ["notes"] if "notes" in names else []
        return [*first, *sorted(set(names) - {*first, *last}), *last]


_WAN = ("committed_down_bps", "committed_up_bps")
_BY_PLACE = {"kecamatan": "place.kecamatan"}
_NETWORK = (
    Spec(
        "device_type",
        ("name", "maker", "model", "eos", "eol"),
        "Makers and models, with their end of life.",
        wide=("part_number", "slug", "u_height", "kode_barang", "notes"),
    ),
    Spec(
        "component",
        ("device_type", "kind", "label", "type"),
        "Ports that every device of a type has.",
        wide=("name", "mgmt_only"),
        naming="free",
        auto=("device_type", "kind", "label"),
    ),
    Spec(
        "credential",
        ("name", "kind", "username", "auth_protocol", "priv_protocol"),
        "How to log in; the secrets lie sealed.",
    ),
    Spec(
        "vlan_group",
        ("name", "place", "first_vid", "last_vid"),
        "Where VLAN ids are unique.",
        wide=("notes",),
    ),
    Spec(
        "vlan",
        ("vid", "name", "vlan_group", "status", "agency", "place"),
        "VLANs of sites and agencies.",
        wide=("notes",),
        paths=_BY_PLACE,
    ),
    Spec("vrf", ("name", "route_distinguisher", "enforce_unique", "agency"), "Routing tables of their own."),
    Spec(
        "prefix",
        ("name", "vrf", "status", "role", "vlan", "place", "agency"),
        "Prefixes; see also 'siaga ipam'.",
        wide=("pool", "notes"),
        paths=_BY_PLACE,
        naming="cidr",
    ),
    Spec(
        "ip_range",
        ("name", "vrf", "status", "agency"),
        "Spans of addresses, such as DHCP pools.",
        naming="range",
    ),
    Spec(
        "device",
        ("name", "role", "status", "place", "agency", "platform", "address", "transport"),
        "Servers and network devices.",
        wide=(
            "device_type",
            "serial",
            "credential",
            "ssh_credential",
            "parent",
            "support_contract",
            "owner",
            "tags",
            "notes",
        ),
        paths={
            "kecamatan": "place.kecamatan",
            "maker": "device_type.maker",
            "model": "device_type.model",
            "site": "place",
            "contract": "support_contract",
        },
    ),
    Spec(
        "interface",
        ("device", "name", "alias", "oper_status", "speed_bps", "seen_speed_bps", "seen_mac"),
        "Interfaces of devices, intended and observed.",
        key=("device", "name"),
        wide=(
            "if_index",
            "seen_alias",
            "admin_status",
            "mac",
            "mode",
            "vlan",
            "tagged_vlans",
            "seen_at",
            "notes",
        ),
        paths={"kecamatan": "device.place.kecamatan", "role": "device.role"},
    ),
    Spec(
        "address",
        ("name", "vrf", "status", "device", "interface", "agency", "dns_name", "seen_at"),
        "Addresses given away.",
        wide=("length", "seen_mac", "notes"),
        naming="address",
    ),
    Spec(
        "link",
        ("name", "kind", "a_interface", "z_interface", "contract", "role", "state"),
        "Links between interfaces, and circuits.",
        wide=("intra", "path_group", "capacity_bps", "installed", "notes"),
    ),
    Spec(
        "connection",
        ("name", "agency", "place", "contract", "interface", *_WAN),
        "Agencies' connections to the network.",
        wide=("device", "link", "vlan", "prefix", "notes"),
        paths=_BY_PLACE,
    ),
    Spec(
        "service",
        ("name", "title", "agency", "device", "url"),
        "Applications of the agencies.",
        wide=(
            *("place", "port", "hosting", "spl", "national", "criticality"),
            *("check", "expect", "expect_status", "plugin", "notes"),
        ),
    ),
    Spec(
        "dependency",
        ("service", "target_noun", "target", "group"),
        "What a service needs; a group's members stand in for each other.",
        wide=("name",),
        naming="free",
        auto=("service", "target_noun", "target"),
    ),
)
_REGENCY = (
    Spec(
        "place",
        ("name", "kind", "code", "parent"),
        "Places, from regency to room.",
        wide=("purpose", "priority", "population", "latitude", "longitude", "notes"),
    ),
    Spec(
        "agency",
        ("name", "title", "kind", "place"),
        "Agencies: OPD, kecamatan, puskesmas, RSUD.",
        wide=("code", "notes"),
        paths=_BY_PLACE,
    ),
    Spec(
        "provider",
        ("name", "title", "contact"),
        "Providers of circuits and services.",
        wide=("account", "as_number", "notes"),
    ),
    Spec(
        "person",
        ("name", "role", "agency", "title", "on_call", "phone"),
        "People (SDM): staff, custodians, contacts.",
        wide=("nip", "provider", "place", "fte", "competences", "on_duty", "email", "telegram", "notes"),
    ),
    Spec(
        "certificate",
        ("name", "person", "area", "issuer", "issued", "expires"),
        "Trainings and certificates of people.",
    ),
    Spec(
        "contract",
        ("name", "provider", "kind", "start", "end", *_WAN, "availability_pct"),
        "What providers promised, and its price.",
        wide=("price_idr", "claim_after_s", "provider_availability_pct", "notes"),
    ),
)
_GOODS = (
    Spec(
        "asset",
        (
            "name",
            "title",
            "serial",
            "condition",
            "status",
            "agency",
            "place",
            "custodian",
            "acquired",
            "price_idr",
        ),
        "Goods in the asset books (BMD, KIB B).",
        wide=(
            "kode_barang",
            "register_number",
            "nibar",
            "device",
            "device_type",
            "warranty_until",
            "verified_at",
            "notes",
        ),
        paths=_BY_PLACE,
    ),
    Spec(
        "custody",
        ("name", "kind", "status", "dated", "from_person", "to_person", "to_place", "due"),
        "Handovers, returns and loans, with their BAST.",
        wide=("from_place", "reason", "sha256"),
    ),
    Spec(
        "custody_item",
        ("custody", "asset", "condition"),
        "The assets of a handover.",
        wide=("name",),
        naming="free",
        auto=("custody", "asset"),
    ),
    Spec("stock_take", ("name", "place", "agency", "started", "ended"), "Sessions of counting assets."),
    Spec(
        "sighting",
        ("stock_take", "asset", "how", "place", "condition", "at"),
        "Assets seen in a stock-take.",
        wide=("name",),
        naming="free",
        auto=("stock_take", "asset"),
    ),
)
_PAPERS = (
    Spec(
        "account",
        ("name", "person", "provider", "device", "service", "scope", "mfa", "expires"),
        "Who may log in where.",
        wide=("via_jump_host", "notes"),
    ),
    Spec(
        "evidence",
        ("name", "kind", "title", "dated", "signer", "valid_until"),
        "Documents that prove something.",
        wide=("target_noun", "target", "result", "sha256", "media_type", "size_bytes", "notes"),
    ),
    Spec(
        "ticket",
        ("name", "title", "priority", "place", "opened", "acknowledged", "resolved"),
        "Requests and complaints.",
        wide=("agency", "device", "notes"),
        paths=_BY_PLACE,
    ),
    Spec(
        "outage",
        ("name", "place", "device", "link", "start", "end", "cause"),
        "What was down, when and why.",
        wide=("ticket", "notes"),
        paths=_BY_PLACE,
    ),
    Spec(
        "contact",
        ("person", "role", "target_noun", "target"),
        "Who has a part in what.",
        wide=("name",),
        naming="free",
        auto=("person", "role", "target_noun", "target"),
    ),
    Spec(
        "note",
        ("at", "target_noun", "target", "kind", "who", "text"),
        "Dated notes on any row.",
        wide=("name",),
        naming="free",
        auto=("target_noun", "target", "at"),
    ),
    Spec(
        "layer",
        ("name", "place", "role", "platform", "agency", "tag", "vars"),
        "Variables for a place, role, platform, agency or tag.",
    ),
    Spec(
        "group",
        ("name", "noun", "selector"),
        "Saved selectors, used as @name.",
        wide=("notes",),
        table="saved_group",
    ),
    Spec(
        "node",
        ("address", "mac", "switch", "switch_port", "vlan", "device", "port", "first_seen", "last_seen"),
        "Addresses and MACs seen on the network, and where they hang.",
        wide=("uplink", "source", "name"),
        naming="free",
        auto=("address", "mac"),
        seen=True,
    ),
    Spec(
        "proposal",
        ("name", "source", "status", "device", "score", "facts", "last_seen"),
        "What was found and is not recorded.",
        wide=("reason", "first_seen", "decided_by"),
        naming="free",
        seen=True,
    ),
)
_READINESS = (
    Spec(
        "budget",
        ("name", "year", "ceiling_idr", "realised_idr", "as_of"),
        "ICT spending of a year: ceiling and realised.",
        wide=("evidence", "notes"),
    ),
    Spec(
        "restitution",
        ("name", "contract", "month", "amount_idr", "dated", "paid_idr"),
        "What was claimed of providers.",
        wide=("notes",),
    ),
    Spec(
        "capacity_test",
        ("name", "connection", "link", "at", "down_bps", "up_bps", "how"),
        "Tests of what lines deliver.",
        wide=("evidence", "notes"),
    ),
    Spec(
        "risk",
        ("name", "title", "severity", "person", "due", "closed"),
        "Risks, their owners and due days.",
        wide=("target_noun", "target", "opened", "notes"),
    ),
    Spec(
        "milestone",
        ("name", "title", "quick_win", "due", "done"),
        "Items of the road map, and quick wins.",
        wide=("person", "evidence", "notes"),
    ),
    Spec(
        "room_check",
        ("name", "place", "dated", "door_control", "door_log", "cctv", "visitor_log", "fire_detection"),
        "Walks through server rooms.",
        wide=("signer", "notes"),
    ),
    Spec(
        "advisory",
        ("name", "platform", "severity", "exploited", "published", "fixed_version"),
        "Known vulnerabilities of platforms.",
        wide=("title", "since_version", "notes"),
    ),
)
_BY_NAME = {s.name: s for s in (*_NETWORK, *_REGENCY, *_GOODS, *_PAPERS, *_READINESS)}
# In the order in which an import must make them: a noun stands after those it refers to.
# fmt: off
_ORDER = (
    "place", "agency", "provider", "person", "certificate", "contract", "device_type", "component", "credential",
    "vlan_group", "vlan", "vrf", "prefix", "ip_range", "device", "interface", "address", "link", "connection",
    "service", "dependency", "account", "asset", "custody", "custody_item", "stock_take", "sighting", "evidence",
    "budget", "restitution", "capacity_test", "risk", "milestone", "room_check", "advisory",
    "ticket", "outage", "contact", "note", "layer", "group", "node", "proposal",
)
# fmt: on
SPECS: tuple[Spec, ...] = tuple(_BY_NAME[name] for name in _ORDER)


def spec(name: str) -> Spec:
    """Return the spec of a noun that is known to exist."""
    return _BY_NAME[name]
