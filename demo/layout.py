"""Lays out the simulated regency on a Draft: the core at Tigaraksa, OPD, kecamatan, RSUD and puskesmas.

Which unit exists and where is read from data/regency.toml; who is connected how is invented (ilustrasi).
"""

from datetime import date
from typing import Any

from demo.draft import ILLUSTRATIVE, MEGA, Draft

BUILDING = "Gedung Kominfo"
ROOMS = ("Ruang server", "Ruang sistem", "Command center")
CORE, DIST, OPD, KECAMATAN, ACCESS, RSUD, PUSKESMAS, COMMAND_LINE, HOSTS, POWER = range(10)
MANAGED = ("srv-app-1", "srv-db-1", "srv-web-1")
_ROUTED_OPD = ("setda", "bapenda", "bpkad", "dinkes", "disdukcapil", "dpmptsp")
_RADIO = ("Kronjo", "Mekar Baru", "Kemiri", "Sukadiri", "Jambe", "Solear", "Cisauk", "Pakuhaji")
_SATELLITE = ("Gunung Kaler",)


def slug(name: str) -> str:
    """Return a name as it stands in a device name: 'Kelapa Dua' is kelapa-dua."""
    return name.lower().replace(" ", "-")


def places(draft: Draft) -> None:
    """Add the regency, its kecamatan, and the building of the network's core."""
    facts = draft.facts
    root, source = facts["regency"]["name"], facts["source"]
    notes = f"Sumber: {source['kecamatan']}"
    draft.add("place", name=root, kind="regency", code=facts["regency"]["code"], notes=notes)
    for code, name, latitude, longitude in facts["kecamatan"]["rows"]:
        draft.add(
            "place",
            name=name,
            kind="kecamatan",
            code=code,
            parent=root,
            latitude=latitude,
            longitude=longitude,
            position_kind="centroid",
            notes=f"{notes}; posisi: {source['position']}",
        )
    draft.add("place", name=BUILDING, kind="building", parent=facts["regency"]["capital"])
    for room in ROOMS:
        draft.add("place", name=f"{room} {BUILDING}", kind="room", parent=BUILDING)


def types(draft: Draft) -> None:
    """Add the device types; makers' dates of sale and support are left to the operator."""
    for kind in draft.facts["type"].values():
        name = f"{kind['maker']} {kind['model']}"
        draft.add("device_type", name=name, maker=kind["maker"], model=kind["model"], notes=ILLUSTRATIVE)


def contracts(draft: Draft, year: int) -> None:
    """Add three invented providers, and one contract for each class of line that one of them serves."""
    served = {"A": ("pusat", "opd", "rsud"), "B": ("pusat", "rsud", "kecamatan"), "C": ("puskesmas",)}
    for letter, classes in served.items():
        provider = draft.add(
            "provider", name=f"Penyedia {letter}", notes=f"{ILLUSTRATIVE}: bukan penyedia nyata"
        )
        for name in classes:
            _contract(draft, name, provider, year)


def _contract(draft: Draft, name: str, provider: str, year: int) -> None:
    bought = draft.facts["class"][name]
    draft.add(
        "contract",
        name=contract(name, provider[-1]),
        provider=provider,
        kind="internet" if name == "pusat" else "circuit",
        start=date(year, 1, 1),
        end=date(year, 12, 31),
        price_idr=bought["price_idr"],
        committed_down_bps=bought["mbps"] * MEGA,
        committed_up_bps=bought["mbps"] * MEGA,
        notes=f"{ILLUSTRATIVE}: harga per sambungan per tahun",
        **draft.facts["sla"],
    )


def contract(name: str, letter: str) -> str:
    """Return the number of the contract for a class of line with a provider."""
    return f"ILUSTRASI-{letter}-{name.upper()}"


def core(draft: Draft) -> None:
    """Add core routers, firewalls, distribution and server switches, servers and power at Tigaraksa."""
    here: dict[str, Any] = {"place": f"Ruang server {BUILDING}", "agency": "diskominfo"}
    v3 = here | {"credential": "demo-v3", "tags": "core"}
    for n in (1, 2):
        draft.device(f"rtr-core-{n}", "ccr2116", "core-router", CORE, **v3)
    for n in (1, 2):
        firewall = draft.device(f"fw-{n}", "fg100e", "firewall", CORE, parent=f"rtr-core-{n}", **v3)
        draft.wire(f"rtr-core-{n}", firewall, 1000, use=0.3)
        _internet(draft, firewall, "AB"[n - 1], "utama" if n == 1 else "cadangan")
    for n in range(1, 5):
        kind, router = ("s6220", "s5720")[n % 2], f"rtr-core-{1 + n % 2}"
        switch = draft.device(f"sw-dist-{n}", kind, "switch", DIST, parent=router, tags="core", **here)
        draft.wire(router, switch, 1000, use=0.25)
    _server_room(draft, here)


def _internet(draft: Draft, firewall: str, letter: str, role: str) -> None:
    port = draft.uplink(firewall, f"Internet Penyedia {letter}", 1000, 0.35 if role == "utama" else 0.12)
    draft.add(
        "connection",
        name=f"Internet {role}",
        agency="diskominfo",
        place=BUILDING,
        contract=contract("pusat", letter),
        device=firewall,
        interface=port,
        committed_down_bps=1000 * MEGA,
        committed_up_bps=1000 * MEGA,
        notes=ILLUSTRATIVE,
    )


def _server_room(draft: Draft, here: dict[str, Any]) -> None:
    switch = draft.device("sw-srv-1", "c2960x", "switch", DIST, parent="rtr-core-1", **here)
    draft.wire("rtr-core-1", switch, 1000, use=0.2)
    managed = here | {"credential": "demo-v3", "ssh_credential": "demo-ssh", "parent": switch}
    for name in MANAGED:
        draft.wire(switch, draft.device(name, "server", "server", HOSTS, tags="managed", **managed), 1000)
    for n in (1, 2):
        draft.device(f"ups-srv-{n}", "smt3000", "ups", POWER, parent=switch, **here)
    _command_line_switches(draft, here["agency"])
    stored = {**here, "transport": "none", "status": "spare", "credential": ""}
    draft.device("rtr-cadangan-1", "rb4011", "router", ACCESS, **stored)
    draft.device("sw-pensiun-1", "c2960x", "switch", ACCESS, **(stored | {"status": "retired"}))
    draft.device("rtr-rencana-1", "hex", "router", ACCESS, **(stored | {"status": "planned"}))


def _command_line_switches(draft: Draft, agency: str) -> None:
    """Add the switches that can only be read over SSH."""
    for name, room in (("sw-cmd-1", ROOMS[2]), ("sw-cmd-2", ROOMS[2]), ("sw-sys-1", ROOMS[1])):
        switch = draft.device(
            name,
            "c2960x",
            "switch",
            COMMAND_LINE,
            place=f"{room} {BUILDING}",
            agency=agency,
            parent="sw-dist-1",
            transport="ssh",
            credential="",
            ssh_credential="demo-cli",
        )
        draft.wire("sw-dist-1", switch, 1000)


def agencies(draft: Draft) -> None:
    """Add every OPD with its office, access switch and, for some, a router; then the other agencies."""
    capital, source = draft.facts["regency"]["capital"], draft.facts["source"]
    for n, (name, title) in enumerate(draft.facts["opd"]["rows"]):
        place = BUILDING if name == "diskominfo" else f"Kantor {title}".replace(",", "")  # no comma in a name
        if place != BUILDING:
            notes = f"{ILLUSTRATIVE}: letak dianggap di {capital}"
            draft.add("place", name=place, kind="site", parent=capital, notes=notes)
        draft.add("agency", name=name, title=title, kind="opd", place=place, notes=f"Sumber: {source['opd']}")
        _opd_devices(draft, n, name, place)
    for _, name, _, _ in draft.facts["kecamatan"]["rows"]:
        _kecamatan(draft, name)
    for name, title, where in draft.facts["rsud"]["rows"]:
        _hospital(draft, name, title, where)
    for _, name, _, _ in draft.facts["kecamatan"]["rows"]:
        _health_centre(draft, name)


def _opd_devices(draft: Draft, n: int, name: str, place: str) -> None:
    here = {"place": place, "agency": name}
    above = f"sw-dist-{1 + n % 4}"
    kind = ("s5720", "c2960x")[n % 2]
    switch = draft.device(f"sw-opd-{name}-1", kind, "switch", OPD, parent=above, **here)
    wan = draft.wire(above, switch, 100, contract=contract("opd", "A"))
    _connect(draft, name, place, "opd", "A", wan)
    if name in _ROUTED_OPD:
        router = draft.device(f"rtr-opd-{name}", "rb4011", "router", OPD, parent=switch, **here)
        draft.wire(switch, router, 100)


def _kecamatan(draft: Draft, name: str) -> None:
    """Add a kecamatan's office: a router, reached by fibre, radio or satellite, and for some a switch."""
    agency, place, below = f"kec-{slug(name)}", f"Kantor Kecamatan {name}", slug(name)
    draft.add("place", name=place, kind="site", parent=name, notes="posisi kantor belum dicatat")
    draft.add("agency", name=agency, title=f"Kecamatan {name}", kind="kecamatan", place=place)
    here = {"place": place, "agency": agency}
    above = "rtr-core-1"
    bought: dict[str, Any] = {
        "contract": contract("kecamatan", "B"),
        "path_group": "utara" if name in _RADIO else "ring",
    }
    if name in _RADIO:
        radio = draft.device(f"rad-kec-{below}", "litebeam", "radio", ACCESS, parent=above, **here)
        draft.wire(
            above, radio, 50, vlan=True, kind="radio", use=draft.draw("radio", name).uniform(0.08, 0.3)
        )
        above = radio
    kind = "edgerouter" if draft.draw("make", name).random() < 0.3 else "rb4011"
    router = draft.device(f"rtr-kec-{below}", kind, "router", KECAMATAN, parent=above, **here)
    medium = "copper" if name in _RADIO else "satellite" if name in _SATELLITE else "fibre"
    wan = draft.wire(above, router, 50, vlan=above == "rtr-core-1", kind=medium, **bought)
    _connect(draft, agency, place, "kecamatan", "B", wan)
    if draft.draw("switch", name).random() < 0.55 and router not in draft.facts["behaviour"]["down"]:
        switch = draft.device(f"sw-kec-{below}-1", "c2960x", "switch", ACCESS, parent=router, **here)
        draft.wire(router, switch, 100)


def _hospital(draft: Draft, name: str, title: str, where: str) -> None:
    outside = "berdiri di Kota Tangerang, di luar wilayah kabupaten"
    notes = f"Sumber: {draft.facts['source']['rsud']}"
    parent = where or draft.facts["regency"]["name"]
    place = draft.add(
        "place", name=f"Gedung {title}", kind="site", parent=parent, notes="" if where else outside
    )
    draft.add("agency", name=name, title=title, kind="rsud", place=place, notes=notes)
    here = {"place": place, "agency": name}
    router = draft.device(f"rtr-{name}", "ccr2116", "router", RSUD, parent="rtr-core-2", **here)
    bought: dict[str, Any] = {"contract": contract("rsud", "A"), "path_group": "ring"}
    _connect(draft, name, place, "rsud", "A", draft.wire("rtr-core-2", router, 200, vlan=True, **bought))
    switch = draft.device(f"sw-{name}-1", "s5720", "switch", RSUD, parent=router, **here)
    draft.wire(router, switch, 1000, use=0.05)


def _health_centre(draft: Draft, name: str) -> None:
    """Add one puskesmas for each kecamatan: an illustration, for the list of the real ones is longer."""
    agency, notes = f"pkm-{slug(name)}", f"{ILLUSTRATIVE}: contoh puskesmas, bukan daftar resmi"
    place = draft.add("place", name=f"Puskesmas {name}", kind="site", parent=name, notes=notes)
    draft.add("agency", name=agency, title=f"Puskesmas {name}", kind="puskesmas", place=place, notes=notes)
    here = {"place": place, "agency": agency}
    router = draft.device(f"rtr-pkm-{slug(name)}", "hex", "router", PUSKESMAS, parent="rtr-core-2", **here)
    wan = draft.wire("rtr-core-2", router, 30, vlan=True, contract=contract("puskesmas", "C"))
    _connect(draft, agency, place, "puskesmas", "C", wan)


def _connect(draft: Draft, agency: str, place: str, kind: str, letter: str, wan: tuple[str, str]) -> None:
    link, port = wan
    rate = draft.facts["class"][kind]["mbps"] * MEGA
    draft.add(
        "connection",
        name=f"Koneksi {agency}",
        agency=agency,
        place=place,
        link=link,
        contract=contract(kind, letter),
        device=port.partition(":")[0],
        interface=port,
        committed_down_bps=rate,
        committed_up_bps=rate,
        notes=ILLUSTRATIVE,
    )


def services(draft: Draft) -> None:
    """Add the applications; on which server each runs is invented."""
    notes = f"Sumber: {draft.facts['source']['service']}; letak pada server: {ILLUSTRATIVE}"
    for n, (name, title, owner, criticality) in enumerate(draft.facts["service"]["rows"]):
        draft.add(
            "service",
            name=name,
            title=title,
            agency=owner or None,
            device=MANAGED[n % len(MANAGED)],
            criticality=criticality,
            notes=notes,
        )
