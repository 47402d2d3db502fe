"""The service with all it speaks to: chats and their buttons, Alertmanager, remote write, services, SSH, syslog."""

import json
import re
import socket
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dns.message
import dns.rrset
from pydantic import SecretStr

from inventory.credentials import store_secret
from inventory.history import Author
from inventory.store import open_engine, session
from inventory.writing import Writer
from monitor.notify import standing
from monitor.notify.channels import alertmanager
from monitor.notify.worker import run_once
from siaga.clock import utc_now
from siaga.secrets import open_vault
from siaga.settings import Route, Settings
from tests.cli_runner import closed_port, until
from tests.monitor import web_servers
from tests.monitor.agent import OCTETS, TICKS, number, oid, tlv
from tests.monitor.alarm_world import net as small_net
from tests.monitor.in_loop import in_loop
from tests.monitor.notify_servers import Answer, Posted, http
from tests.monitor.remote_receiver import Receiver, receiving
from tests.monitor.ssh_servers import PASSWORD, USER, shell, ssh_server
from tests.monitor.watching import Watching, watching

TOKEN = "1234:rahasia-sekali"
OK: Answer = (200, {"ok": True, "result": {"message_id": 7}}, {})


def record(net: Watching, noun: str, row: dict[str, Any], **secrets: str) -> None:
    """Write a row, and the secrets of a credential."""
    engine = open_engine(Settings(home=net.home))
    with session(engine) as opened:
        writer = Writer(opened, Author("test", utc_now()))
        writer.put(noun, row)
        writer.flush()
        for part, text in secrets.items():
            number = writer.ids("credential")[row["name"]]
            store_secret(opened, open_vault(net.home), number, part, SecretStr(text))
        writer.finish()
    engine.dispose()


class Bot:
    """A Bot API: keeps what it was told, and lets a person press the buttons of the devices in `pressed`."""

    def __init__(self, person: dict[str, Any]) -> None:
        self.person = person
        self.presses: set[str] = set()
        self.told: list[tuple[str, str]] = []
        self.answers: list[str] = []
        self._waiting: list[dict[str, Any]] = []
        self._number = 0

    def __call__(self, posted: Posted) -> Answer:
        """Answer one call."""
        assert posted.path.startswith(f"/bot{TOKEN}/")
        method, body = posted.path.rpartition("/")[2], posted.body
        if method == "sendMessage":
            self.told.append((body["chat_id"], body["text"].splitlines()[0]))
            if any(f"· {name}" in body["text"] for name in self.presses):
                (button,) = body["reply_markup"]["inline_keyboard"][0]
                self._press(button["callback_data"])
        elif method == "getUpdates":
            found = [u for u in self._waiting if u["update_id"] >= body["offset"]]
            return 200, {"ok": True, "result": found}, {}
        elif method == "answerCallbackQuery":
            self.answers.append(body["text"])
        return OK

    def _press(self, data: str) -> None:
        self._number += 1
        query = {"id": f"q{self._number}", "from": self.person, "data": data}
        self._waiting.append({"update_id": self._number, "callback_query": query})


ROUTES = """
[[routes]]
name = "noc"
channel = "telegram"
credential = "bot"
to = ["-100"]
options = {{ url = "{bot}" }}
[[routes]]
name = "piket"
channel = "telegram"
credential = "bot"
to = ["on-duty"]
after_s = 6
options = {{ url = "{bot}" }}
[[routes]]
name = "prometheus"
channel = "alertmanager"
options = {{ url = "{prometheus}" }}
"""


def on_duty(net: Watching) -> None:
    """Ani is on duty now, Budi is not; both are on call."""
    other = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[
        (datetime.now(ZoneInfo("Asia/Jakarta")).weekday() + 3) % 7
    ]
    for name, telegram, hours in (("Ani", "11", "24/7"), ("Budi", "22", f"{other} 07.00-16.00")):
        row = {"name": name, "telegram": telegram, "on_call": True, "on_duty": hours}
        record(net, "person", row)


def test_an_alert_is_told_taken_by_a_button_or_else_escalated_and_ended(tmp_path: Path) -> None:
    bot = Bot({"id": 11, "username": "ani"})
    bot.presses = {"sw-2"}
    with ExitStack() as stack:
        chat = stack.enter_context(http(bot))
        prometheus = stack.enter_context(http(lambda _: (200, {}, {})))
        more = ROUTES.format(bot=chat.url, prometheus=prometheus.url)
        net = stack.enter_context(watching(tmp_path, 3, first=21, more=more))
        record(net, "credential", {"name": "bot", "kind": "token"}, token=TOKEN)
        on_duty(net)
        process = net.start()
        for name in net.ids:
            net.until_state(name, "up", 60)
        net.agents["sw-2"].dead = net.agents["sw-3"].dead = True
        # The one whose button was pressed is taken; the other is escalated to who is on duty.
        until(
            lambda: net.rows("SELECT acked_by FROM alert WHERE acked_by != ''") == [("Ani",)], net.said(), 60
        )
        until(lambda: any(to != "-100" for to, _ in bot.told), net.said(), 60)
        assert bot.answers == ["Diterima. Terima kasih."]
        told = sorted((to, name) for to, text in bot.told for name in re.findall(r"sw-\d", text))
        assert told == [("-100", "sw-2"), ("-100", "sw-3"), ("11", "sw-3")]
        net.agents["sw-2"].dead = net.agents["sw-3"].dead = False
        until(lambda: len(prometheus.posts) >= 4, net.said(), 60)
        assert net.stop(process) == 0  # although somebody waits for buttons
    alerts = [a for p in prometheus.posts for a in p.body]
    assert {p.path for p in prometheus.posts} == {"/api/v2/alerts"}
    ends = {}
    for alert in alerts:
        if alert["labels"]["severity"] == "critical":
            end = datetime.fromisoformat(alert["endsAt"]) - utc_now()
            ends.setdefault(alert["labels"]["device"], []).append(end > timedelta(days=1))
    assert ends == {"sw-2": [True, False], "sw-3": [True, False]}
    assert TOKEN not in net.said()


def test_alertmanager_is_told_again_of_what_is_open_and_of_nothing_else(tmp_path: Path) -> None:
    kept: list[Any] = []
    up = [True]

    def answer(posted: Posted) -> Answer:
        kept.extend((a["labels"]["device"], a["endsAt"]) for a in posted.body if up[0])
        return (200, {}, {}) if up[0] else (503, {}, {})

    with http(answer) as server:
        route = Route(name="prometheus", channel="alertmanager", options={"url": server.url})
        with small_net(tmp_path / "net", routes=(route,)) as world:
            for dead in (set(), {"rtr-a", "rtr-b"}):
                world.dead = dead
                for _ in range(3):
                    world.round()
            assert standing.repeat(world.engine, world.settings, world.now) == {}
            assert kept == []  # what was not told yet is the outbox's
            run_once(world.engine, world.settings, lambda: world.now)
            told = sorted(kept)
            assert [device for device, _ in told] == ["rtr-a", "rtr-b"]
            kept.clear()  # it was started anew, and has forgotten
            world.now += timedelta(hours=3)
            assert standing.repeat(world.engine, world.settings, world.now) == {}
            far = (world.now + timedelta(hours=alertmanager.Options(url=server.url).open_for_h)).isoformat()
            assert sorted(kept) == [("rtr-a", far), ("rtr-b", far)]
            up[0] = False
            failed = standing.repeat(world.engine, world.settings, world.now)
            assert failed == {"prometheus": "the answer was HTTP 503"}
            up[0] = True
            world.dead = set()
            for _ in range(2):
                world.round()
            run_once(world.engine, world.settings, lambda: world.now)
            kept.clear()
            assert standing.repeat(world.engine, world.settings, world.now) == {}
            assert kept == []


CHECKS = """
[checks]
ca_file = "{ca}"
[plugins.load]
run = ["/bin/sh", "-c", "echo 'LOAD WARNING - busy | load1=7;5;9'; exit 1"]
[ssh]
timeout_s = 20
[[remote_write]]
name = "pusat"
url = "{write}"
"""


def quick_rule(home: Path) -> None:
    (home / "rules").mkdir()
    text = Path("monitor/rules/service-wrong.toml").read_text().replace("for_s = 60", "for_s = 0", 1)
    (home / "rules" / "service-wrong.toml").write_text(text)


def said_by_dns(question: dns.message.Message) -> dns.message.Message:
    answer = dns.message.make_response(question)
    answer.answer.append(dns.rrset.from_text("siaga.test.", 60, "IN", "A", "127.0.0.9"))
    return answer


def services(net: Watching, where: dict[str, str]) -> None:
    for name, url in where.items():
        row = {"name": name, "plugin": "load"} if name == "beban" else {"name": name, "url": url}
        record(net, "service", row)


def octets_of(receiver: Receiver, device: str, port: str) -> dict[int, float]:
    """Return what came of one counter, by time."""
    wanted = {"__name__": "ifHCInOctets", "device": device, "ifName": port}.items()
    found = [times for labels, times in dict(receiver.wrote).items() if wanted <= dict(labels).items()]
    return dict(found[0]) if found else {}


def test_services_of_every_kind_and_a_device_by_ssh_are_watched_and_all_samples_pushed(
    tmp_path: Path,
) -> None:
    page = web_servers.page(b"<h1>Selamat datang</h1>")
    receiver = Receiver()
    own = tmp_path / "tls"
    own.mkdir()
    ends_soon = web_servers.issued(own, days=3)
    with ExitStack() as stack:
        loop = stack.enter_context(in_loop())
        stack.enter_context(receiving(receiver))
        ports = {
            "http": loop.enter(web_servers.server(web_servers.answers(page))),
            "https": loop.enter(web_servers.server(web_servers.answers(page), ends_soon.context())),
            "tcp": loop.enter(web_servers.server(web_servers.hang)),
            "tls": loop.enter(web_servers.server(web_servers.hang, ends_soon.context())),
            "dns": loop.enter(web_servers.dns_server(said_by_dns)),
            "ssh": loop.enter(ssh_server(shell)),
        }
        more = CHECKS.format(ca=ends_soon.ca, write=receiver.url).replace("[ssh]", "[ssh]\nconcurrency = 2")
        net = stack.enter_context(watching(tmp_path, 1, first=22, more=more))
        net.settle(net.settings_file.read_text().replace("[monitor]", "[monitor]\nssh_s = 3\npush_s = 1"))
        quick_rule(net.home)
        host = web_servers.HOST
        services(
            net,
            {
                "laman": f"http://{host}:{ports['http']}/", "pajak": f"https://{host}:{ports['https']}/",
                "pintu": f"tcp://{host}:{ports['tcp']}", "surat": f"tls://{host}:{ports['tls']}",
                "nama": f"dns://{host}:{ports['dns']}/siaga.test?type=A",
                "hilang": f"http://{host}:{ports['http']}/", "beban": "",
            },
        )  # fmt: skip
        record(net, "service", {"name": "hilang", "expect": "Tidak ada"})
        record(
            net, "credential", {"name": "masuk", "kind": "ssh-password", "username": USER}, password=PASSWORD
        )
        row = {"name": "srv-1", "role": "server", "address": "127.0.0.1", "ssh_port": ports["ssh"]}
        record(net, "device", {**row, "transport": "ssh", "ssh_credential": "masuk", "platform": "linux"})
        process = net.start()
        net.until_state("sw-1", "up", 60)
        query = "SELECT subject, severity FROM alert WHERE rule = 'service-wrong' AND closed_at IS NULL ORDER BY 1"
        wrong = [("beban", "warning"), ("hilang", "critical"), ("pajak", "critical"), ("surat", "critical")]
        until(lambda: net.rows(query) == wrong, f"{net.rows(query)} {net.said()}", 60)
        state = (
            "SELECT s.state FROM device_state s JOIN device d ON d.id = s.device_id WHERE d.name = 'srv-1'"
        )
        until(lambda: net.rows(state) == [("up",)], net.said(), 60)
        seen = "SELECT value, source FROM observed WHERE field = 'sysname' AND source = 'ssh'"
        until(lambda: net.rows(seen) == [(socket.gethostname(), "ssh")], net.said(), 60)
        until(lambda: len(octets_of(receiver, "sw-1", "ether1")) > 3, net.said(), 60)
        assert net.stop(process) == 0
        assert net.ask("metrics", "push", "--now").returncode == 0
    octets = octets_of(receiver, "sw-1", "ether1")
    # From where the destination was begun on, everything that was stored arrived, and nothing else.
    stored = {round(at.timestamp() * 1000): value for at, value in net.samples("sw-1")}
    first = min(octets)
    assert octets == {at: value for at, value in stored.items() if at >= first}
    assert not [p for p in json.loads((net.home / "monitor.json").read_text())["problems"] if "push" in p]


def link_down(port: int) -> bytes:
    """Return a linkDown trap of SNMPv2c (RFC 3416, 4.2.6) with the community of the tests."""
    names = {
        (1, 3, 6, 1, 2, 1, 1, 3, 0): number(4711, TICKS),
        (1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0): oid((1, 3, 6, 1, 6, 3, 1, 1, 5, 3)),
        (1, 3, 6, 1, 2, 1, 2, 2, 1, 1, port): number(port),
    }
    varbinds = b"".join(tlv(0x30, oid(name) + value) for name, value in names.items())
    pdu = tlv(0xA7, number(port) + number(0) + number(0) + tlv(0x30, varbinds))
    return tlv(0x30, number(1) + tlv(OCTETS, b"public") + pdu)


def test_a_trap_makes_a_look_now_also_of_a_device_that_came_later(tmp_path: Path) -> None:
    port = closed_port()
    own = f"addresses = ['127.0.0.1']\ntrap_port = {port}\nsyslog_port = 0\nsyslog_tcp_port = 0"
    more = f"[listen]\n{own}\ncredentials = ['noc']\n"
    with (
        watching(tmp_path, 2, first=23, more=more) as net,
        closing(socket.socket(type=socket.SOCK_DGRAM)) as sender,
    ):
        text = re.sub(r"(?m)^(counters|health|metadata)_s = .*\n", "", net.settings_file.read_text())
        rarely = "listen = true\ncounters_s = 86400\nhealth_s = 86400\nmetadata_s = 86400"
        net.settle(text.replace("[monitor]", f"[monitor]\n{rarely}"))
        assert net.ask("device", "set", "sw-2", "status=planned").returncode == 0
        net.start()
        net.until_state("sw-1", "up", 60)
        assert net.ask("device", "set", "sw-2", "status=active").returncode == 0
        net.until_state("sw-2", "up", 60)
        assert net.samples("sw-2") == []  # its own turns are a day apart
        sender.bind(("127.87.23.2", 0))
        ports = iter(range(1, 4000))
        kept = "SELECT d.name, e.channel, e.kind FROM device_event e JOIN device d ON d.id = e.device_id"

        def told() -> bool:
            sender.sendto(link_down(next(ports)), ("127.0.0.1", port))
            return bool(net.rows(kept))

        until(told, net.said(), 20)
        until(lambda: net.samples("sw-2"), net.said(), 20)
        assert set(net.rows(kept)) == {("sw-2", "trap", "link-down")}
        assert net.states() == {"sw-1": "up", "sw-2": "up"}  # a message makes no state
        assert net.samples("sw-1") == []
