"""Zones of sites and the unused ports of their switches: from prefixes, VLANs, ports, rules, and learned addresses."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address, ip_network

from sqlmodel import col, select

from inventory.models import Device, Interface
from inventory.models_findings import Compliance
from inventory.models_ipam import Node, Prefix, Vlan
from report import store
from report.asked.source import Source
from report.records import Zoning
from report.zones import Segment, Zoned, apart, zone_of

_ETHERNET = (None, 6, 117)  # IANAifType ethernetCsmacd, gigabitEthernet; None: it did not say
_RULES = "-vlans"  # how the rules are called that compare a switch's VLANs with the recorded ones
_VERDICTS = {"met": True, "broken": False}
_EVERYWHERE = ""  # the site of what is recorded for no site in particular


def zonings(source: Source) -> Iterator[Zoning]:
    """Yield each site with a managed switch: whether its zones are apart, its unused ports, how many of these are shut.

    Of ports that nobody read neither number is known.
    """
    managed = {i: d for i, d in source.devices.items() if d.transport != "none"}
    switches = {
        i: site for i, d in managed.items() if d.role == "switch" if (site := source.site(d.place_id))
    }
    ports = _ports(source, switches)
    zones = _Zones(source)
    members: dict[str, list[Device]] = defaultdict(list)
    for device in managed.values():
        members[source.site(device.place_id)].append(device)
    of_switch: dict[str, list[int]] = defaultdict(list)
    for switch, site in switches.items():
        of_switch[site].append(switch)
    for site, some in sorted(of_switch.items()):
        unused, shut = ports.get(site, (None, None))
        yield Zoning(site, apart(zones.at(site, members[site], some)), unused, shut)


def _ports(source: Source, switches: Mapping[int, str]) -> Mapping[str, tuple[int, int]]:
    """Return site → how many ports of its switches are unused now, and how many of these are shut."""
    counts: dict[str, tuple[int, int]] = {}
    query = select(Interface.device_id, Interface.admin_status, Interface.oper_status, Interface.if_type)
    for device_id, admin, oper, kind in source.session.exec(query.where(Interface.oper_status != "")):
        site = switches.get(device_id or 0)
        if site and kind in _ETHERNET:
            unused, shut = counts.get(site, (0, 0))
            idle = oper != "up"
            counts[site] = unused + idle, shut + (idle and admin == "down")
    return counts


@dataclass(frozen=True)
class _Zones:
    """The recorded zones, and what was seen of them, each read once."""

    source: Source

    def at(self, site: str, members: Sequence[Device], switches: Sequence[int]) -> Zoned:
        """Return what is known of a site."""
        segments: dict[str, set[Segment]] = defaultdict(set)
        vids: dict[int, str] = {}
        for where, zone, segment, vid in self._recorded:
            if where in (site, _EVERYWHERE):
                segments[zone].add(segment)
                if vid:
                    vids[vid] = zone
        learned = {vids[v] for s in switches for v in self._learned.get(s, ()) if v in vids}
        return Zoned(
            {zone: frozenset(some) for zone, some in segments.items()},
            tuple(self._zone_of(d.address) for d in members),
            tuple(self._rules.get(s) for s in switches),
            frozenset(learned),
        )

    @cached_property
    def _vlans(self) -> Mapping[int, Vlan]:
        found = store.everything(self.source.session, Vlan)
        return {i: v for i, v in found.items() if v.status != "deprecated"}

    @cached_property
    def _prefixes(self) -> Sequence[tuple[Prefix, str]]:
        """The prefixes that are in use, each with its zone: as its role says, else as its VLAN is called."""
        words = self.source.limits.zones
        query = select(Prefix).where(col(Prefix.status).in_(("active", "reserved"))).order_by(col(Prefix.id))
        found = []
        for row in self.source.session.exec(query):
            vlan = self._vlans.get(row.vlan_id or 0)
            found.append((row, zone_of(row.role, words) or (zone_of(vlan.name, words) if vlan else "")))
        return found

    @cached_property
    def _recorded(self) -> Sequence[tuple[str, str, Segment, int | None]]:
        """Site, zone, segment, and VLAN id of everything that has a zone."""
        found = []
        for prefix, zone in self._prefixes:
            vlan = self._vlans.get(prefix.vlan_id or 0)
            segment = ("vlan", vlan.id or 0) if vlan else ("prefix", prefix.id or 0)
            if zone:
                found.append((self._site(prefix), zone, segment, vlan.vid if vlan else None))
        for number, vlan in self._vlans.items():
            if zone := zone_of(vlan.name, self.source.limits.zones):
                found.append((self._site(vlan), zone, ("vlan", number), vlan.vid))
        return found

    def _site(self, row: Prefix | Vlan) -> str:
        agency = self.source.agencies.get(row.agency_id or 0)
        return self.source.site(row.place_id) or self.source.site(agency.place_id if agency else None)

    @cached_property
    def _by_span(self) -> Mapping[tuple[int, int, int], set[str]]:
        """(family, length, first address) → the zones of the prefixes there, in whatever VRF."""
        found: dict[tuple[int, int, int], set[str]] = defaultdict(set)
        for row, zone in self._prefixes:
            found[row.family, row.length, int(row.first, 16)].add(zone)
        return found

    def _zone_of(self, address: str) -> str:
        """Return the zone of the narrowest prefix around an address; '' where that has none, or more than one."""
        try:
            at = ip_address(address)
        except ValueError:
            return ""
        for length in range(at.max_prefixlen, -1, -1):
            first = int(ip_network((at, length), strict=False).network_address)
            if zones := self._by_span.get((at.version, length, first)):
                return next(iter(zones)) if len(zones) == 1 else ""
        return ""

    @cached_property
    def _rules(self) -> Mapping[int, bool | None]:
        """Switch → what the rules said of its VLANs, by a configuration of the period or before."""
        found = {}
        for row in self.source.session.exec(select(Compliance)):
            said = [v[0] for rule, v in row.results.items() if rule.endswith(_RULES)]
            if said and row.evidence_at is not None and row.evidence_at < self.source.period.until:
                found[row.device_id] = _VERDICTS.get(said[0])
        return found

    @cached_property
    def _learned(self) -> Mapping[int, set[int]]:
        """Switch → the ids of the VLANs in which it learned addresses in the period."""
        period = self.source.period
        query = select(Node.device_id, Node.vlan).where(
            Node.source == "fdb",
            Node.vlan != "",
            Node.last_seen >= period.since,
            Node.first_seen < period.until,
        )
        found: dict[int, set[int]] = defaultdict(set)
        for device, vlans in self.source.session.exec(query.distinct()):
            found[device or 0] |= {int(v) for v in vlans.split(",") if v.isdigit()}
        return found


ANSWERS = {Zoning: zonings}
