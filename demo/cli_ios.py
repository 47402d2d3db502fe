"""What a simulated Cisco IOS device says to its show commands, at any second of the simulation.

The lines have the shape that IOS prints and ntc-templates read; the figures are those that the same device's
SNMP agent gives (see demo.mib), so the two ways of reading agree.
"""

from collections.abc import Callable

from demo.mib import DeviceSpec, PortSpec

_PACKET = 640  # octets in a packet, on the average


def show_version(device: DeviceSpec, at_s: float) -> list[str]:
    """Return `show version`."""
    family = device.model.upper()
    image = f"{family}-UNIVERSALK9-M"
    return [
        f"Cisco IOS Software, {family} Software ({image}), Version {device.version}, simulated",
        "Simulated by siaga; no software of Cisco's runs here.",
        "",
        "ROM: Bootstrap program is simulated",
        "",
        f"{device.name} uptime is {uptime(device.uptime_s + at_s)}",
        "System returned to ROM by power-on",
        f'System image file is "flash:{image.lower()}z.bin"',
        "",
        f"cisco {device.model} (simulated) processor with {device.memory_total // 1024}K bytes of memory.",
        f"Processor board ID {device.serial}",
        f"{len(device.ports)} interfaces",
        "",
        "Configuration register is 0xF",
    ]


def uptime(seconds: float) -> str:
    """Return a time as IOS writes it: `1 year, 3 weeks, 2 days, 4 hours, 5 minutes`."""
    left = int(seconds) // 60
    parts: list[str] = []
    for unit, minutes in (("year", 525_600), ("week", 10_080), ("day", 1_440), ("hour", 60), ("minute", 1)):
        count, left = divmod(left, minutes)
        if count or (unit == "minute" and not parts):
            parts.append(f"{count} {unit}{'' if count == 1 else 's'}")
    return ", ".join(parts)


def show_interfaces(device: DeviceSpec, at_s: float) -> list[str]:
    """Return `show interfaces`: every interface in order."""
    return [line for port in device.ports for line in _interface(device, port, at_s)]


def _interface(device: DeviceSpec, port: PortSpec, at_s: float) -> list[str]:
    live = port.oper_up and port.admin_up
    rx, tx = (flow.octets(at_s) if live else flow.first for flow in (port.rx, port.tx))
    rates = [round(flow.rate(at_s) * 8) if live else 0 for flow in (port.rx, port.tx)]
    errors = int((device.uptime_s + at_s) * port.errors_h / 3600)
    state = "up" if port.oper_up else "down"
    link = state if port.admin_up else "administratively down"
    mac = cisco_mac(port.mac)
    return [
        f"{port.name} is {link}, line protocol is {'up' if live else 'down'} ",
        f"  Hardware is {_hardware(port)}, address is {mac} (bia {mac})",
        *([f"  Description: {port.alias}"] if port.alias else []),
        f"  MTU 1500 bytes, BW {port.speed_bps // 1000} Kbit/sec, DLY 10 usec, ",
        "     reliability 255/255, txload 1/255, rxload 1/255",
        "  Encapsulation ARPA, loopback not set",
        "  Last input 00:00:00, output 00:00:00, output hang never",
        f"  Input queue: 0/75/{errors // 4}/0 (size/max/drops/flushes); Total output drops: {errors // 8}",
        f"  5 minute input rate {rates[0]} bits/sec, {rates[0] // 8 // _PACKET} packets/sec",
        f"  5 minute output rate {rates[1]} bits/sec, {rates[1] // 8 // _PACKET} packets/sec",
        f"     {rx // _PACKET} packets input, {rx} bytes, 0 no buffer",
        "     0 runts, 0 giants, 0 throttles ",
        f"     {errors} input errors, {errors} CRC, 0 frame, 0 overrun, 0 ignored",
        f"     {tx // _PACKET} packets output, {tx} bytes, 0 underruns",
        f"     {errors // 16} output errors, 0 collisions, 0 interface resets",
    ]


def _hardware(port: PortSpec) -> str:
    return "Gigabit Ethernet" if port.type == 6 else "EtherSVI"


def cisco_mac(octets: bytes) -> str:
    """Return six octets as 0011.2233.4455."""
    digits = octets.hex().rjust(12, "0")[:12]
    return ".".join(digits[i : i + 4] for i in (0, 4, 8))


def show_processes_cpu(device: DeviceSpec, at_s: float) -> list[str]:
    """Return `show processes cpu`: the load and three processes."""
    load = max(1, min(100, round(device.cpu.value(at_s))))
    return [
        f"CPU utilization for five seconds: {load}%/1%; one minute: {load}%; five minutes: {load}%",
        " PID Runtime(ms)     Invoked      uSecs   5Sec   1Min   5Min TTY Process ",
        *(
            _process(pid, name, int(at_s))
            for pid, name in ((1, "Chunk Manager"), (2, "Load Meter"), (63, "SSH"))
        ),
    ]


def _process(pid: int, name: str, at_s: int) -> str:
    share = f"  0.{pid:02d}%"
    return f"{pid:4d}{at_s * pid:12d}{at_s * 9:12d}{97:11d}{share * 3}   0 {name}"


def show_memory_statistics(device: DeviceSpec, at_s: float) -> list[str]:
    """Return `show memory statistics`: one pool."""
    total = device.memory_total
    used = int(total * device.memory.value(at_s) / 100)
    free = total - used
    return [
        "                Head    Total(b)     Used(b)     Free(b)   Lowest(b)  Largest(b)",
        f"Processor    4C3D3F8  {total:10d}  {used:10d}  {free:10d}  {free:10d}  {free // 2:10d}",
    ]


def show_running_config(device: DeviceSpec, at_s: float) -> list[str]:
    """Return `show running-config`; no secret is in it, for none is configured."""
    ports = (
        [
            f"interface {port.name}",
            *([f" description {port.alias}"] if port.alias else []),
            *([] if port.admin_up else [" shutdown"]),
            "!",
        ]
        for port in device.ports
    )
    return [
        "Building configuration...",
        "",
        "!",
        "version 15.2",
        "service timestamps log datetime msec",
        f"hostname {device.name}",
        "!",
        *(line for port in ports for line in port),
        f"snmp-server location {device.location}",
        f"snmp-server contact {device.contact}",
        "!",
        "line vty 0 15",
        " transport input ssh",
        "!",
        "end",
    ]


Answer = Callable[[DeviceSpec, float], list[str]]
# The commands, and whether they need privileged mode.
COMMANDS: dict[str, tuple[Answer, bool]] = {
    "show version": (show_version, False),
    "show interfaces": (show_interfaces, False),
    "show processes cpu": (show_processes_cpu, False),
    "show memory statistics": (show_memory_statistics, False),
    "show running-config": (show_running_config, True),
}
