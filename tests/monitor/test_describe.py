"""What a person reads of an observation: what is not well first, the rest short, nothing hostile."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.describe import described
from monitor.observation import (
    Identity,
    Ipv4,
    Mempool,
    Neighbour,
    Observation,
    Port,
    Processor,
    Reach,
    Sensor,
    State,
    Storage,
    Supply,
    Thresholds,
    Wireless,
)
from monitor.show import octets
from siaga.outcome import Format

AT = datetime(2026, 3, 2, 3, 4, 5, tzinfo=UTC)


def seen(**more: object) -> Observation:
    return Observation("r1", "127.0.0.1", 161, "snmp", AT, Reach.up, took_s=0.1, **more)  # type: ignore[arg-type]


def state(descr: str, severity: str, label: str) -> Sensor:
    return Sensor("state", descr, 1.0, "", state=State(label, severity))


@pytest.mark.parametrize(
    ("name", "address", "port", "head"),
    [
        ("r1", "10.0.0.1", 161, "r1  10.0.0.1:161  snmp"),
        ("10.0.0.1", "10.0.0.1", 161, "10.0.0.1:161  snmp"),
        ("10.0.0.1:1161", "10.0.0.1", 1161, "10.0.0.1:1161  snmp"),
        ("[::1]:1161", "::1", 1161, "[::1]:1161  snmp"),
        ("r1", "::1", 161, "r1  [::1]:161  snmp"),
        ("recording", "recording", 0, "recording  snmp"),
    ],
)
def test_the_first_line_says_once_who_was_asked(name: str, address: str, port: int, head: str) -> None:
    asked = Observation(name, address, port, "snmp", AT, Reach.up, took_s=0.1)
    assert described(asked).startswith(f"{head}  up  ")


def test_of_a_make_without_a_platform_it_is_said_what_is_known() -> None:
    text = described(seen(identity=Identity(sysObjectID="1.3.6.1.4.1.14331.1.4", vendor="Topsec")))
    assert (
        "  platform     not known yet (Topsec, sysObjectID 1.3.6.1.4.1.14331.1.4); 'siaga platform rec"
        in text
    )
    assert "  platform     Linux linux\n" in described(seen(identity=Identity(vendor="Linux", os="linux")))
    assert "platform" not in described(seen())


def test_what_is_not_well_stands_first_and_what_is_well_is_only_counted() -> None:
    sensors = (
        state("Fan 1", "ok", "normal"),
        Sensor("temperature", "Board", 41.0, "°C", limits=Thresholds(critical=90)),
        Sensor("temperature", "CPU", 95.0, "°C", limits=Thresholds(critical=90)),
        state("PSU 2", "critical", "failed"),
        state("Stack port", "warning", "down"),
        state("Stack port", "warning", "down"),
    )
    lines = described(seen(sensors=sensors)).splitlines()
    rows = [" ".join(line.split()) for line in lines[lines.index("Sensors") + 2 :]]
    assert rows[:5] == [
        "state PSU 2 critical failed",
        "state Stack port (× 2) warning down",
        "temperature CPU 95 °C critical beyond critical",
        "temperature Board 41 °C limit 90",
        "and 1 state that is well (-o wide lists them)",
    ]
    wide = described(seen(sensors=sensors), Format.wide)
    assert "Fan 1" in wide
    assert wide.count("Stack port") == 2


def test_bars_show_how_full_and_sizes_are_told() -> None:
    text = described(
        seen(
            processors=(Processor("CPU", 50.0),),
            mempools=(Mempool("RAM", 25.0, 4 * 2**30, 2**30),),
            storage=(Storage("/", 100.0),),
            supplies=(Supply("Black", "toner", None, remark="some is left"), Supply("Drum", "opc", 96.0)),
            wireless=(Wireless("rate", "wlan1", 54e6, "bit/s"),),
            neighbours=(Neighbour("ether1", "sw1", "gi0/1", "lldp"),),
            ipv4=(Ipv4(1, "10.1.2.3", 24), Ipv4(1, "10.9.9.9")),
            ports=(Port(1, "ether1", in_octets=6_400_000_000),),
        )
    )
    for words in (
        "██████████░░░░░░░░░░   50 %  CPU",
        "█████░░░░░░░░░░░░░░░   25 %  RAM  1.0 GiB of 4.0 GiB",
        "some is left",
        "96 %",
        "54  Mbps",
        "sw1",
        "10.1.2.3/24, 10.9.9.9",
        "6.4 GB",
    ):
        assert words in text


def test_a_silent_device_has_one_line() -> None:
    silent = Observation("r1", "127.0.0.1", 161, "snmp", AT, Reach.silent, "No answer in 2 s.")
    assert described(silent).count("\n") == 1


def test_octets_are_short() -> None:
    assert [octets(n) for n in (None, 0, 999, 1000, 2_345_678, 10**15)] == [
        "",
        "0 B",
        "999 B",
        "1 kB",
        "2.35 MB",
        "1 PB",
    ]


@given(st.text(max_size=60))
def test_nothing_of_a_device_drives_the_terminal(text: str) -> None:
    shown = described(
        seen(
            identity=Identity(sysName=text, sysDescr=text),
            processors=(Processor(text, 1.0),),
            sensors=(Sensor("voltage", text, 1.0, "V"), state(text, "critical", text)),
            ports=(Port(1, text, ifAlias=text),),
            neighbours=(Neighbour(text, text, text, "lldp"),),
        )
    )
    assert all(line.isprintable() for line in shown.splitlines())


def test_a_long_fact_is_broken_below_itself_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    device = seen(identity=Identity(sysDescr="Acme OS " + "long words " * 20))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    first, second = described(device).splitlines()[1:3]
    assert first.startswith("  describes as Acme OS")
    assert second.startswith(" " * 15 + "words")
    assert max(len(first), len(second)) <= 60
    monkeypatch.setattr("sys.stdout.isatty", lambda: False)
    assert len(described(device).splitlines()[1]) > 200  # a program that reads it has one line


def test_a_port_without_a_speed_has_none() -> None:
    assert "0 bps" not in described(
        seen(ports=(Port(1, "lo", speed_bps=0), Port(2, "eth0", speed_bps=10**9)))
    )
