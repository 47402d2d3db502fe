"""Collects the rows of the simulated regency and the devices behind them while it is being laid out.

A link is drawn once and gives both its ends the same traffic, mirrored: what the core sends, the site receives.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from random import Random
from typing import Any

from demo.agents import Behaviour, Mood
from demo.mib import DeviceSpec, PortSpec
from demo.traffic import PEAK, Flow, flow, gauge

ILLUSTRATIVE = "ilustrasi"
ETHERNET, RADIO = 6, 71  # ifType: ethernetCsmacd, ieee80211
FIRST_VLAN = 1001
MEGA = 1_000_000

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Simulated:
    """One simulated device: what it is, where it answers, how it behaves, and the credential it accepts."""

    spec: DeviceSpec
    address: str
    behaviour: Behaviour
    credential: str
    role: str


@dataclass
class _Device:
    row: Row
    kind: str
    ports: list[PortSpec] = field(default_factory=list)


class Draft:
    """The regency as far as it is laid out; `rows` by noun, in the order in which they were made."""

    def __init__(self, facts: Mapping[str, Any], seed: int, day_s: float) -> None:
        self.facts = facts
        self.rows: dict[str, list[Row]] = defaultdict(list)
        self._seed = seed
        self._day_s = day_s
        self._devices: dict[str, _Device] = {}
        self._next_address: dict[int, int] = defaultdict(int)

    def draw(self, *about: object) -> Random:
        """Return a generator that depends on the seed and on what it is for, and on nothing else."""
        return Random(":".join(map(str, (self._seed, *about))))  # noqa: S311 - a simulation, not a secret

    def add(self, noun: str, **row: Any) -> str:
        """Add a row and return its name."""
        self.rows[noun].append(row)
        return str(row["name"])

    def address(self, net: int) -> str:
        """Return the next address of 127.77.`net`.0/24."""
        self._next_address[net] += 1
        return str(IPv4Address(f"127.77.{net}.0") + self._next_address[net])

    def device(self, name: str, kind: str, role: str, net: int, **columns: Any) -> str:
        """Add a device of the type `kind` (regency.toml) at the next address of `net`; return its name."""
        model = self.facts["type"][kind]
        row = {
            "name": name,
            "role": role,
            "status": "active",
            "device_type": f"{model['maker']} {model['model']}",
            "platform": model["platform"],
            "address": self.address(net),
            "transport": "snmp",
            "credential": "demo-v2c",
            "serial": f"SIM{self.draw('serial', name).randrange(10**9):09d}",
            "notes": ILLUSTRATIVE,
        } | columns
        self._devices[name] = _Device(row, kind)
        return self.add("device", **row)

    def wire(
        self, a: str, z: str, mbps: float, *, vlan: bool = False, use: float | None = None, **columns: Any
    ) -> tuple[str, str]:
        """Draw a link from `a` (towards the core) to `z`; return its name and z's interface 'device:name'.

        `use` is the mean share of `mbps` that flows down; drawn if not given. On a VLAN interface at `a`
        the circuit of one site can be told from the others on the same fibre.
        """
        name = f"{a} - {z}"
        share = use if use is not None else self._use(z)
        down, up = (self.flow(name, way, mbps * part) for way, part in (("down", share), ("up", share * 0.3)))
        alive = not {a, z} & set(self.facts["behaviour"]["down"])
        a_port = self._port(a, f"ke {z}", up, down, mbps=mbps if vlan else None, vlan=vlan, up=alive)
        z_port = self._port(z, f"ke {a}", down, up, up=alive)
        row = {"kind": "fibre", "role": "primary", "intra": True, "notes": ILLUSTRATIVE} | columns
        self.add("link", name=name, a_interface=a_port, z_interface=z_port, **row)
        return name, z_port

    def uplink(self, device: str, alias: str, mbps: float, use: float) -> str:
        """Give `device` an interface towards a provider, and return it as 'device:name'."""
        down, up = self.flow(alias, "down", mbps * use), self.flow(alias, "up", mbps * use * 0.4)
        return self._port(device, alias, down, up, mbps=mbps)

    def flow(self, name: str, way: str, mean_mbps: float) -> Flow:
        """Return the traffic of one direction of a line."""
        uptime = self.draw("flow", name).uniform(20, 200) * 86_400
        return flow(f"{self._seed}:{name}:{way}", mean_mbps * MEGA, uptime, self._day_s)

    def _use(self, device: str) -> float:
        """Return the mean use of a site's line; where it is full, the peak touches what is committed."""
        if device in self.facts["behaviour"]["full"]:
            return 0.98 / PEAK
        return self.draw("use", device).uniform(0.06, 0.34)

    def _port(
        self,
        device: str,
        alias: str,
        rx: Flow,
        tx: Flow,
        *,
        mbps: float | None = None,
        vlan: bool = False,
        up: bool = True,
    ) -> str:
        made = self._devices[device]
        model = self.facts["type"][made.kind]
        number = sum(1 for p in made.ports if p.name.startswith("vlan") is vlan)
        name = f"vlan{FIRST_VLAN + number}" if vlan else model["port"].format(n=number + 1)
        draw = self.draw("port", device, name)
        speed = int((mbps or model["mbps"]) * MEGA)
        made.ports.append(
            PortSpec(
                index=len(made.ports) + 1,
                name=name,
                alias=alias,
                type=RADIO if name.startswith("ath") else ETHERNET,
                speed_bps=speed,
                mac=bytes((0x02, 0x53)) + draw.randbytes(4),  # locally administered
                rx=rx,
                tx=tx,
                oper_up=up,
                errors_h=draw.choice((0.0, 0.0, 0.0, 2.0, 15.0)),
            )
        )
        row = {"device": device, "name": name, "alias": alias, "speed_bps": speed, "notes": ILLUSTRATIVE}
        self.rows["interface"].append(row)
        return f"{device}:{name}"

    def simulated(self) -> tuple[Simulated, ...]:
        """Give every device its remaining ports and return all that are to be simulated."""
        found = []
        for name, made in self._devices.items():
            if made.row["transport"] == "none":
                continue
            self._fill(name, made)
            credential = str(made.row.get("credential") or made.row.get("ssh_credential") or "")
            spec = self._spec(name, made)
            address, role = str(made.row["address"]), str(made.row["role"])
            found.append(Simulated(spec, address, self.behaviour(name), credential, role))
        return tuple(found)

    def _fill(self, name: str, made: _Device) -> None:
        """Add local ports up to what the model has; about a third of a switch's are not in use."""
        model = self.facts["type"][made.kind]
        for number in range(len(made.ports), model["ports"]):
            draw = self.draw("local", name, number)
            mean = min(model["mbps"] * 0.02, 8) * draw.uniform(0.05, 1)
            used = number < 2 or draw.random() < 0.65
            rx = self.flow(f"{name} {number}", "rx", mean if used else 0)
            tx = self.flow(f"{name} {number}", "tx", mean * 2 if used else 0)
            self._port(name, "", rx, tx, up=used)

    def _spec(self, name: str, made: _Device) -> DeviceSpec:
        model = self.facts["type"][made.kind]
        odd = self.facts["behaviour"]
        draw = self.draw("device", name)
        hot = name in odd["hot"]
        mean = model.get("temperature") or draw.uniform(36, 52)
        return DeviceSpec(
            name=name,
            platform=model["platform"],
            model=model["model"],
            version=model["version"],
            serial=str(made.row["serial"]),
            location=str(made.row.get("place", "")),
            ports=tuple(made.ports),
            uptime_s=240.0 if name in odd["restarted"] else draw.uniform(3, 300) * 86_400,
            cpu=gauge(f"{name} cpu", model["cpu"] * draw.uniform(0.6, 1.4), model["cpu"] * 0.35),
            cores=model["cores"],
            memory_total=model["memory"] * 2**20,
            memory=gauge(f"{name} memory", draw.uniform(28, 72), 2),
            temperature=gauge(f"{name} °C", 79 if hot else mean, 1.5),
            room=gauge(f"{name} room", 23.5, 1.2),
        )

    def behaviour(self, name: str) -> Behaviour:
        """Return how the device behaves (regency.toml)."""
        odd = self.facts["behaviour"]
        if name in odd["down"]:
            return Behaviour(Mood.down)
        if name in odd["slow"]:
            return Behaviour(Mood.slow, delay_s=odd["slow"][name])
        if name in odd["lossy"]:
            return Behaviour(Mood.lossy, loss=odd["lossy"][name])
        return Behaviour(Mood.cut if name in odd["cut"] else Mood.up)

    @property
    def names(self) -> Sequence[str]:
        """The names of all devices so far."""
        return tuple(self._devices)
