"""The simulated Cisco devices behave on a terminal as the real ones do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncssh
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ntc_templates.parse import parse_output

from demo.cli_devices import CliDevice, CliDevices, matches, serve
from demo.cli_ios import COMMANDS, cisco_mac, uptime
from demo.hosts import Login
from demo.mib import DeviceSpec, PortSpec
from demo.traffic import Gauge, flow
from siaga.errors import SiagaError

KEY = asyncssh.generate_private_key("ssh-ed25519")
PORTS = tuple(
    PortSpec(
        i, f"GigabitEthernet1/0/{i}", f"ke #{i}", 6, 10**9, bytes((2, 0, 0, 0, 0, i)),
        flow(f"r{i}", 5e6, 1e6, 0), flow(f"t{i}", 2e6, 1e6, 0), oper_up=i != 2, admin_up=i != 3, errors_h=2.0,
    )
    for i in range(1, 5)
)  # fmt: skip
SPEC = DeviceSpec(
    "sw-curug", "ios", "C9200L", "17.6.5", "JAE25140ABC", "Curug", PORTS, 1e6,
    Gauge(30, 10), 1, 2**30, Gauge(40, 5), Gauge(40), Gauge(25),
)  # fmt: skip
DEVICE = CliDevice(SPEC, "127.0.0.1", Login("noc", "rahasia"), enable_secret="lebih-rahasia")


@asynccontextmanager
async def _running(*devices: CliDevice) -> AsyncIterator[CliDevices]:
    running = await serve(devices, 0, KEY, clock=lambda: 60.0)
    try:
        yield running
    finally:
        await running.close()


def _connect(port: int, user: str = "noc", password: str = "rahasia") -> asyncssh.SSHClientConnection:
    return asyncssh.connect(
        "127.0.0.1", port, username=user, password=password, known_hosts=None, client_keys=None, config=None
    )


def _typed(keys: str) -> str:
    """Return what a terminal shows when these keys are typed, the last of which end the session."""

    async def story() -> str:
        async with _running(DEVICE) as devices, _connect(devices.port) as connection:
            done = await connection.run(input=keys, term_type="vt100")
            return str(done.stdout)

    return asyncio.run(story())


@pytest.mark.parametrize("command", ["show version", "show interfaces", "show processes cpu"])
@pytest.mark.parametrize("at_s", [0.0, 1.0, 4e6, 1e9])
def test_the_real_ntc_templates_read_the_output(command: str, at_s: float) -> None:
    rows = parse_output("cisco_ios", command, "\n".join(COMMANDS[command][0](SPEC, at_s)))
    named = {"show version": "hostname", "show interfaces": "interface", "show processes cpu": "process_name"}
    names = {
        "show version": ["sw-curug"],
        "show interfaces": [port.name for port in PORTS],
        "show processes cpu": ["Chunk Manager", "Load Meter", "SSH"],
    }
    assert [row[named[command]] for row in rows] == names[command]


def test_keys_are_echoed_in_order_and_the_prompt_follows_the_answer() -> None:
    assert _typed("terminal length 0\nsho versin\x7fon\nexit\n").startswith(
        "\r\nsw-curug>terminal length 0\r\nsw-curug>sho versin\b \bon\r\nCisco IOS Software,"
    )


def test_a_command_is_refused_where_it_is_not_known_or_not_allowed() -> None:
    shown = _typed("reload\nshow running-config\nexit\n")
    assert shown.count("% Invalid input detected at '^' marker.") == 2


def test_enable_asks_for_its_secret_without_echo() -> None:
    shown = _typed("enable\nsalah\nen\nlebih-rahasia\nsh run\ndisable\nexit\n")
    assert "Password: \r\n% Access denied\r\nsw-curug>en\r\nPassword: \r\nsw-curug#sh run\r\n" in shown
    assert "salah" not in shown
    assert "rahasia" not in shown
    assert "interface GigabitEthernet1/0/3\r\n description ke #3\r\n shutdown\r\n" in shown
    assert shown.endswith("sw-curug#disable\r\nsw-curug>exit")


def test_only_its_own_user_gets_in() -> None:
    async def story(user: str, password: str) -> None:
        async with _running(DEVICE) as devices, _connect(devices.port, user, password):
            pass

    for user, password in (("noc", "salah"), ("root", "rahasia")):
        with pytest.raises(asyncssh.PermissionDenied):
            asyncio.run(story(user, password))


def test_each_device_has_its_own_address_and_one_port() -> None:
    async def story() -> list[str]:
        others = [CliDevice(SPEC, f"127.78.9.{i}", DEVICE.login) for i in (1, 2)]
        async with _running(*others) as devices:
            shown = []
            for other in others:
                connecting = asyncssh.connect(
                    other.address,
                    devices.port,
                    username="noc",
                    password="rahasia",
                    known_hosts=None,
                    config=None,
                )
                async with connecting as connection:
                    shown.append(str((await connection.run(input="exit\n", term_type="vt100")).stdout))
            return shown

    assert asyncio.run(story()) == ["\r\nsw-curug#exit"] * 2


def test_closing_hangs_up_on_everybody() -> None:
    async def story() -> int:
        async with _running(DEVICE) as devices:
            connection = await _connect(devices.port)
            session = await connection.create_process(term_type="vt100")
            await session.stdout.readuntil(">")
        await asyncio.wait_for(connection.wait_closed(), 5)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", devices.port)
        return len(asyncio.all_tasks()) - 1

    assert asyncio.run(story()) == 0


def test_a_port_that_is_taken_is_said_and_nothing_left_open() -> None:
    async def story() -> None:
        async with _running(DEVICE) as devices:
            free = CliDevice(SPEC, "127.78.9.9", DEVICE.login)
            with pytest.raises(
                SiagaError, match=f"need TCP port {devices.port} at 127.0.0.1, which is in use"
            ):
                await serve([free, DEVICE], devices.port, KEY)
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.78.9.9", devices.port)

    asyncio.run(story())


def test_no_secret_shows_in_a_device() -> None:
    assert "rahasia" not in repr(DEVICE)


def test_words_may_be_cut_short() -> None:
    assert matches("SH int", "show interfaces")
    assert matches("term len 24", "terminal length 0")
    assert not matches("show", "show version")
    assert not matches("shows version", "show version")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 minutes"),
        (3_660, "1 hour, 1 minute"),
        (31_536_000 + 1_209_600, "1 year, 2 weeks"),
        (59, "0 minutes"),
    ],
)
def test_uptime_is_written_as_ios_does(seconds: int, text: str) -> None:
    assert uptime(seconds) == text


@given(st.floats(60, 9e8))
def test_uptime_is_read_back_to_the_minute(seconds: float) -> None:
    from monitor.parsers.cisco_ios import uptime_s

    assert uptime_s(uptime(seconds)) == seconds // 60 * 60


def test_a_mac_address_is_written_in_threes() -> None:
    assert (cisco_mac(bytes.fromhex("004268584a00")), cisco_mac(b"")) == ("0042.6858.4a00", "0000.0000.0000")
