"""An inventory in which every noun has rows, with texts that formats stumble over."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

from inventory import store
from inventory.history import Author
from inventory.nouns import nouns
from inventory.writing import Writer
from siaga.settings import CustomField

NOW = datetime(2026, 11, 24, 3, 0, 0, 123456, tzinfo=UTC)
FIELDS = {
    "device": {
        "po_number": CustomField(),
        "ports": CustomField(type="int"),
        "depth_m": CustomField(type="float"),
        "reviewed": CustomField(type="date"),
        "managed": CustomField(type="bool"),
        "keeper": CustomField(type="ref", ref="person"),
    }
}
# What a spreadsheet could take for a formula, a number, a date, a truth value; what YAML could take for another kind.
ODD = (
    "=cmd|'/C calc'!A0",
    "+62 812-3456",
    "-5",
    "@SUM(1;1)",
    "'=1+1",
    "''",
    "'petik",
    "007",
    "1.10",
    "1e3",
    "no",
    "Null",
    "~",
    "2026-01-01",
    "TRUE",
    "a: b #c",
    "- x",
    '{"a": [1]}',
    "{{ 7 * 7 }}",
    "<r>tebal</r>",
    "_x0041_",
    "<b>&amp;</b>",
    "Kantor Kecamatan – Mauk ☎ 🛰",
    "مرحبا",
    'kutip "dua", koma; titik',
    "baris\u2028dua",
    "spasi  dua",
    "%d {0}",
    "#REF!",
    "baris satu\nbaris dua",
)
VARIABLES: dict[str, Any] = {
    "ntp_servers": ["10.0.0.1", "=1+1"],
    "mtu": 1500,
    "ratio": 0.1,
    "negative": -7,
    "huge": 12345678901234567890,
    "tiny": 1e-07,
    "jumbo": False,
    "text_number": "0012",
    "nested": {"a": {"b": ["x: y", "no"]}, "on": True},
    "formula": "=HYPERLINK(1)",
}


def build(engine: Engine) -> None:
    """Write the rows."""
    with store.session(engine) as session:
        writer = Writer(session, Author("budi", NOW, "test"))
        for noun, row in _rows():
            writer.put(noun, row)
        writer.finish()


def _rows() -> list[tuple[str, dict[str, Any]]]:
    return [
        (
            "place",
            {"name": "Kabupaten", "kind": "regency", "code": "36.03", "latitude": -6.2, "longitude": 106.5},
        ),
        ("place", {"name": "Mauk", "kind": "kecamatan", "code": "36.03.01", "parent": "Kabupaten"}),
        (
            "place",
            {
                "name": "Kantor Mauk",
                "kind": "site",
                "parent": "Mauk",
                "longitude": 0.1 + 0.2,
                "notes": "-5",
            },
        ),
        ("place", {"name": "Ruang Server", "kind": "room", "parent": "Kantor Mauk", "purpose": "server"}),
        ("place", {"name": "Rak 1", "kind": "rack", "parent": "Ruang Server", "active_from": "1899-12-31"}),
        (
            "agency",
            {"name": "dinas-kominfo", "title": ODD[0], "place": "Kantor Mauk", "active_from": "2020-02-29"},
        ),
        ("provider", {"name": "isp-1", "contact": ODD[1], "as_number": 4200000000}),
        (
            "person",
            {
                "name": "Budi",
                "agency": "dinas-kominfo",
                "fte": 0.5,
                "competences": "jaringan keamanan",
                "phone": ODD[1],
            },
        ),
        ("certificate", {"name": "S-1", "person": "Budi", "issued": "2025-01-31"}),
        (
            "contract",
            {"name": "K/1", "provider": "isp-1", "price_idr": 2**62, "end": "2026-12-31", "penalty": ODD[3]},
        ),
        (
            "device_type",
            {"name": "hEX S", "maker": "MikroTik", "model": "RB760iGS", "u_height": 0.5, "eol": "2030-01-01"},
        ),
        ("component", {"device_type": "hEX S", "kind": "interface", "label": "ether1"}),
        ("credential", {"name": "noc", "kind": "snmp-v3", "username": "noc"}),
        ("credential", {"name": "ops", "kind": "ssh-key", "username": "ops"}),
        ("vlan_group", {"name": "Mauk", "place": "Mauk"}),
        ("vlan", {"name": "mauk-10", "vid": 10, "vlan_group": "Mauk"}),
        ("vrf", {"name": "tamu", "enforce_unique": "no"}),
        ("prefix", {"name": "10.1.0.0/24", "place": "Kantor Mauk", "vlan": "mauk-10"}),
        ("prefix", {"name": "10.1.0.0/24", "vrf": "tamu"}),
        ("prefix", {"name": "2001:db8::/48", "pool": "yes"}),
        ("ip_range", {"name": "10.1.0.100-10.1.0.199", "status": "dhcp"}),
        *_devices(),
        ("interface", {"device": "rtr-1", "name": "bridge1", "enabled": "no", "tagged_vlans": "10,20-29"}),
        (
            "interface",
            {
                "device": "rtr-1",
                "name": "ether1",
                "alias": ODD[2],
                "speed_bps": "1g",
                "parent": "rtr-1:bridge1",
            },
        ),
        (
            "interface",
            {
                "device": "sw-1",
                "name": "gi0/1",
                "mode": "access",
                "vlan": "mauk-10",
                "mac": "02:00:00:00:00:01",
            },
        ),
        (
            "address",
            {
                "name": "10.1.0.1/24",
                "device": "rtr-1",
                "interface": "rtr-1:ether1",
                "dns_name": "rtr-1.example",
            },
        ),
        ("address", {"name": "10.1.0.1", "vrf": "tamu"}),
        (
            "link",
            {"name": "L1", "a_interface": "rtr-1:ether1", "z_interface": "sw-1:gi0/1", "capacity_bps": 10**9},
        ),
        (
            "connection",
            {
                "name": "C1",
                "agency": "dinas-kominfo",
                "link": "L1",
                "contract": "K/1",
                "prefix": "10.1.0.0/24 tamu",
            },
        ),
        ("service", {"name": "e-planning", "title": "=2+3", "device": "srv-1", "port": 443, "spl": "no"}),
        ("service", {"name": "sso", "url": "https://sso.example/?a=1&b=2"}),
        ("dependency", {"service": "e-planning", "target_noun": "service", "target": "sso"}),
        ("account", {"name": "a-1", "person": "Budi", "device": "rtr-1", "mfa": "yes"}),
        *(("asset", {"name": f"1.3.2/{n:04}", "title": odd, "notes": odd}) for n, odd in enumerate(ODD)),
        (
            "asset",
            {"name": "1.3.2/9000", "device": "rtr-1", "acquired": "1899-05-01", "quantity": 2, "unit": ""},
        ),
        ("custody", {"name": "001/BAST", "dated": "2026-11-01", "to_person": "Budi", "reason": ODD[0]}),
        ("custody_item", {"custody": "001/BAST", "asset": "1.3.2/9000", "condition": "B"}),
        ("stock_take", {"name": "ST-1", "place": "Kantor Mauk", "started": NOW}),
        ("sighting", {"stock_take": "ST-1", "asset": "1.3.2/9000", "how": "scan", "at": "2026-11-24 09:30"}),
        ("evidence", {"name": "E-1", "kind": "sk", "title": "SK", "dated": "2026-01-02"}),
        ("budget", {"name": "DPA-2026", "year": 2026, "ceiling_idr": 10**10, "evidence": "E-1"}),
        ("restitution", {"name": "027/1", "contract": "K/1", "month": "2026-10-01", "amount_idr": 5 * 10**6}),
        ("capacity_test", {"name": "CT-1", "connection": "C1", "at": NOW, "down_bps": 45 * 10**6}),
        (
            "risk",
            {"name": "R-1", "title": ODD[1], "person": "Budi", "target_noun": "device", "target": "rtr-1"},
        ),
        ("milestone", {"name": "M-1", "title": "=1+1", "due": "2026-12-31", "quick_win": "yes"}),
        ("room_check", {"name": "RC-1", "place": "Kantor Mauk", "dated": "2026-11-01", "door_log": "no"}),
        ("advisory", {"name": "CVE-2026-0001", "platform": "routeros", "fixed_version": "7.15.2"}),
        ("ticket", {"name": "T-1", "opened": "2026-11-23 23:59:59", "device": "rtr-1", "title": ODD[3]}),
        (
            "outage",
            {"name": "O-1", "link": "L1", "start": "2026-11-23T00:00:00Z", "ticket": "T-1", "cause": "power"},
        ),
        ("contact", {"person": "Budi", "target_noun": "device", "target": "rtr-1", "role": "technical"}),
        ("note", {"target_noun": "device", "target": "rtr-1", "at": NOW, "text": "baris\nkedua: =1+1"}),
        ("layer", {"name": "regency", "vars": {"ntp_servers": ["10.0.0.9"], "domain": "kab.example"}}),
        (
            "layer",
            {
                "name": "mauk",
                "place": "Mauk",
                "vars": {"domain": "mauk.kab.example", "snmp_module": "mikrotik"},
            },
        ),
        ("group", {"name": "kritis", "noun": "device", "selector": "tag:core status=active"}),
    ]


def _devices() -> list[tuple[str, dict[str, Any]]]:
    own = {"po_number": "=PO-1", "ports": -3, "depth_m": 0.1 + 0.2, "reviewed": "2026-02-03", "managed": "no"}
    return [
        (
            "device",
            {
                "name": "rtr-1",
                "role": "router",
                "place": "Rak 1",
                "agency": "dinas-kominfo",
                "address": "10.1.0.1",
                "platform": "routeros",
                "device_type": "hEX S",
                "credential": "noc",
                "ssh_credential": "ops",
                "serial": "0012",
                "tags": "core 1.10",
                "support_contract": "K/1",
                "owner": "Budi",
                "rack_unit": 3,
                "vars": VARIABLES,
                "notes": "{{ lookup('pipe', 'id') }}",
                "keeper": "Budi",
                **own,
            },
        ),
        (
            "device",
            {
                "name": "sw-1",
                "role": "switch",
                "place": "Ruang Server",
                "address": "2001:db8::5",
                "snmp_port": 1161,
            },
        ),
        (
            "device",
            {"name": "srv-1", "role": "server", "parent": "sw-1", "virtual": "yes", "status": "planned"},
        ),
        ("device", {"name": "-aneh [1-9]", "address": "10.1.0.9", "notes": "=1+1", "credential": "noc"}),
        ("device", {"name": "lama", "role": "ap", "status": "retired", "address": "10.1.0.8"}),
    ]


def contents(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Return every row of every noun as operators see it, by natural key, without its id."""
    with store.reading(engine) as session:
        return {
            name: sorted(
                ({k: v for k, v in row.items() if k != "id"} for row in store.rows(session, name)),
                key=lambda row: [str(row[k]) for k in kind.key],
            )
            for name, kind in nouns().items()
        }
