"""Telling: at least once, in order, never twice without need; waits, digests, escalation; nothing foreign gets out."""

import hashlib
import hmac
import json
import logging
import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from pydantic import SecretStr
from sqlmodel import select

from inventory.credentials import store_secret
from inventory.history import Author
from inventory.models import Device
from inventory.store import reading, session
from inventory.writing import Writer
from monitor.acknowledge import acknowledge
from monitor.models import Alert, AlertNote, Delivery, Notification
from monitor.notify import queue
from monitor.notify.backoff import wait_s
from monitor.notify.buttons import listen, mark
from monitor.notify.channels import channels
from monitor.notify.outfit import outfit
from monitor.notify.receivers import receivers
from monitor.notify.routes import Told, ways
from monitor.notify.worker import run_once
from siaga.errors import InvalidError, TemporaryError
from siaga.hours import hours
from siaga.secrets import open_vault
from siaga.settings import Route
from tests.cli_runner import runner, started, until
from tests.monitor.alarm_world import T0, Net, net
from tests.monitor.notify_servers import Answer, Posted, certificate, closed_tcp_port, http, smtp, syslog

TOKEN = "1234:rahasia-sekali"
OK: Answer = (200, {"ok": True, "result": {"message_id": 7}}, {})
HOSTILE = 'rtr"]<b>\r\nBcc: x@y.z\x1b[2J</b>&{device}\u202e'


def made(tmp_path: Path, *routes: dict[str, Any]) -> Any:
    return net(tmp_path / "net", routes=tuple(Route.model_validate(r) for r in routes))


def secret(world: Net, name: str, kind: str, part: str, text: str, **more: str) -> None:
    with session(world.engine) as writing:
        writer = Writer(writing, Author("test", T0))
        writer.put("credential", {"name": name, "kind": kind, **more})
        writer.flush()
        store_secret(writing, open_vault(world.home), writer.ids("credential")[name], part, SecretStr(text))


def person(world: Net, name: str, **more: Any) -> None:
    with session(world.engine) as writing:
        Writer(writing, Author("test", T0)).put("person", {"name": name, **more})


def fail(world: Net, *names: str) -> None:
    """Let devices fail, and siaga find out."""
    for _ in range(3):
        world.round()
    world.dead |= set(names)
    for _ in range(3):
        world.round()


def mend(world: Net) -> None:
    world.dead.clear()
    for _ in range(2):
        world.round()


def telegram(url: str, **more: Any) -> dict[str, Any]:
    options = {"url": url}
    return {
        "name": "noc",
        "channel": "telegram",
        "credential": "bot",
        "to": ["-100"],
        "options": options,
        **more,
    }


@pytest.fixture
def said() -> Iterator[list[Answer]]:
    """What a server answers, one after another; then all is well."""
    answers: list[Answer] = []
    yield answers
    assert answers == [], "not all answers were asked for"


def test_telegram_gets_one_message_with_a_button_and_its_recovery(tmp_path: Path) -> None:
    with http(lambda _: OK) as bot, made(tmp_path, telegram(bot.url)) as world:
        secret(world, "bot", "token", "token", TOKEN)
        fail(world, "rtr-a")
        assert [d.status for d in world.tell()] == ["sent"]
        mend(world)
        world.tell()
        world.tell()
        first, second = bot.posts
        assert first.path == f"/bot{TOKEN}/sendMessage"
        text = first.body["text"].splitlines()
        assert text[0] == "<b>🔴 KRITIS: Perangkat mati · rtr-a</b>"
        assert text[1] == "rtr-a: mati (no answer in 2 s)."
        assert text[2] == "Di: Mauk"
        assert text[3].startswith("Sejak: 24 Nov 2026 10.0")
        assert "WIB (" in text[3]
        assert any(line.startswith("Dampak: ") for line in text)
        assert any(line.startswith("Tindakan: Periksa listrik") for line in text)
        (button,) = first.body["reply_markup"]["inline_keyboard"][0]
        assert button["callback_data"] == mark(open_vault(world.home), 1)
        assert len(button["callback_data"].encode()) <= 64
        assert "🟢 PULIH" in second.body["text"]
        assert "reply_markup" not in second.body
        with reading(world.engine) as opened:
            kept = opened.exec(select(Delivery)).all()
        assert [(d.route, d.receiver, d.result, d.detail) for d in kept] == [
            ("noc", "-100", "sent", "message 7")
        ] * 2


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((429, {"ok": False, "description": "Too Many", "parameters": {"retry_after": 77}}, {}), "HTTP 429"),
        ((502, {"no": "json"}, {}), "HTTP 502"),
        (None, "RemoteProtocolError"),
        ((200, {"ok": False}, {}), "not what the Bot API says"),
    ],
)
def test_what_may_pass_is_tried_again_later_and_told_once(
    answer: Answer, why: str, tmp_path: Path, said: list[Answer]
) -> None:
    said.append(answer)
    with (
        http(lambda _: said.pop(0) if said else OK) as bot,
        made(tmp_path, telegram(bot.url)) as world,
    ):
        secret(world, "bot", "token", "token", TOKEN)
        fail(world, "rtr-a")
        (done,) = world.tell()
        assert (done.status, why in done.why) == ("waiting", True), done
        assert world.tell() == []  # it rests
        asked = 77 if answer and answer[0] == 429 else 5
        (row,) = world.outbox()
        assert (row.due_at - world.now).total_seconds() == pytest.approx(asked, abs=0.1)
        world.now += timedelta(seconds=asked + 1)
        assert [d.status for d in world.tell()] == ["sent"]
        assert len(bot.posts) == 2


def test_nobody_there_waits_longer_each_time_and_keeps_the_order(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{closed_tcp_port()}"
    with made(tmp_path, telegram(url, digest_over=100)) as world:
        secret(world, "bot", "token", "token", TOKEN)
        fail(world, "rtr-a", "rtr-b")
        waits = []
        for _ in range(5):
            (done,) = world.tell()
            assert done.status == "waiting"
            rows = world.outbox()
            assert len({r.due_at for r in rows}) == 1  # the second waits with the first
            waits.append((rows[0].due_at - world.now).total_seconds())
            world.now = rows[0].due_at
        assert waits == [5, 10, 20, 40, 80]
        mend(world)
        with http(lambda _: OK) as bot:
            routes = [telegram(bot.url, digest_over=100)]
            world.settings = world.settings.model_copy(
                update={"routes": tuple(Route.model_validate(r) for r in routes)}
            )
            world.now += timedelta(minutes=20)
            world.tell()
            heads = [p.body["text"].splitlines()[0] for p in bot.posts]
        # They had ended by then: each is told once with its beginning and end, before its recovery.
        assert [("rtr-a" in h, "rtr-b" in h) for h in heads[:2]] == [(True, False), (False, True)]
        assert len(heads) == 4


def test_waits_grow_to_a_bound_and_differ(tmp_path: Path) -> None:
    assert [wait_s(n, 0.5) for n in (1, 2, 3, 50)] == [5, 10, 20, 900]
    assert [wait_s(1, c) for c in (0.0, 0.5, 0.999)] == pytest.approx([3.75, 5.0, 6.2475])
    assert wait_s(1, 0.0, 600) == 600


def test_what_is_refused_goes_to_the_default_route(tmp_path: Path) -> None:
    forbidden = (403, {"ok": False, "description": "bot was blocked"}, {})
    with http(lambda _: forbidden) as bot, made(tmp_path, telegram(bot.url)) as world:
        secret(world, "bot", "token", "token", TOKEN)
        fail(world, "rtr-a")
        (done,) = world.tell()
        assert (done.status, done.why) == ("failed", "HTTP 403 bot was blocked")
        world.tell()
        (line,) = world.told()
        assert (line["event"], line["device"]) == ("opened", "rtr-a")
        mend(world)
        world.tell()
        assert [m["event"] for m in world.told()] == ["opened", "recovered"]
        assert len(bot.posts) == 1


def test_a_route_that_is_set_up_wrongly_loses_nothing(tmp_path: Path) -> None:
    broken = [
        {"name": "a", "channel": "pigeon"},
        {"name": "b", "channel": "webhook", "options": {"uri": "http://x"}},
        {"name": "c", "channel": "telegram", "credential": "nobody"},
        {
            "name": "d",
            "channel": "email",
            "to": ["role:nobody"],
            "options": {"server": "x", "sender": "a@b.c"},
        },
    ]
    with made(tmp_path, *broken) as world:
        fail(world, "rtr-a")
        found = {d.route: d.why for d in world.tell()}
        assert "pigeon" in found["a"]
        assert "uri" in found["b"]
        assert "nobody" in found["c"]
        assert "leads to nobody" in found["d"]
        world.tell()
        assert len(world.told()) == 4


def test_it_is_told_again_under_the_same_key_after_an_end_between_sending_and_noting(tmp_path: Path) -> None:
    with (
        http(lambda _: (200, {}, {})) as hook,
        made(tmp_path, {"name": "hook", "channel": "webhook", "options": {"url": hook.url}}) as world,
    ):
        fail(world, "rtr-a")
        with pytest.MonkeyPatch.context() as patch:

            def end(*_: Any) -> str:
                raise KeyboardInterrupt

            patch.setattr(queue, "note", end)
            with pytest.raises(KeyboardInterrupt):
                world.tell()
        assert world.tell() == []  # somebody may be at it
        world.now += queue.CLAIM + timedelta(seconds=1)
        assert [d.status for d in world.tell()] == ["sent"]
        keys = [p.headers["X-Siaga-Delivery"] for p in hook.posts]
        assert keys == ["1/opened/hook"] * 2
        assert world.tell() == []


def test_a_process_that_is_killed_while_it_tells_tells_again_under_the_same_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim: Queue[int] = Queue()
    answers: list[Answer] = [(200, {}, {}), None]

    def answer(_: Posted) -> Answer:
        said = answers.pop()
        if said is None:
            os.kill(victim.get(timeout=60), signal.SIGKILL)
        return said

    with http(answer) as hook, made(tmp_path) as world:
        fail(world, "rtr-a")
        config = tmp_path / "siaga.toml"
        config.write_text(
            f'[[routes]]\nname = "default"\nchannel = "webhook"\noptions = {{ url = "{hook.url}" }}\n'
        )
        monkeypatch.setenv("SIAGA_CONFIG", str(config))
        with session(world.engine) as writing:
            for row in writing.exec(select(Notification)):
                row.at = row.due_at = T0 - timedelta(days=300)  # the process has the machine's own clock
                writing.add(row)
        with started(world.home, "notify", "run") as process:
            victim.put(process.pid)
            assert process.wait(60) == -signal.SIGKILL
        with session(world.engine) as writing:
            (row,) = writing.exec(select(Notification)).all()
            assert (row.status, row.attempts) == ("waiting", 0)
            row.claimed_until = T0 - timedelta(days=300)  # the claim has run out
            writing.add(row)
        with started(world.home, "notify", "run") as process:
            assert process.wait(60) == 0
        assert [p.headers["X-Siaga-Delivery"] for p in hook.posts] == ["1/opened/default"] * 2
        assert [n.status for n in world.outbox()] == ["sent"]


def test_many_at_once_are_one_message(tmp_path: Path) -> None:
    with http(lambda _: OK) as bot, made(tmp_path, telegram(bot.url, digest_over=1)) as world:
        secret(world, "bot", "token", "token", TOKEN)
        fail(world, "rtr-a", "rtr-b")
        world.tell()
        (post,) = bot.posts
        lines = post.body["text"].splitlines()
        assert lines[0] == "<b>2 kabar alarm: 2 baru, 0 pulih</b>"
        assert ["rtr-a" in lines[1], "rtr-b" in lines[2]] == [True, True]
        assert {n.status for n in world.outbox()} == {"sent"}


def test_no_more_than_so_many_a_minute(tmp_path: Path) -> None:
    with (
        http(lambda _: (200, {}, {})) as hook,
        made(
            tmp_path, {"name": "hook", "channel": "webhook", "per_minute": 1, "options": {"url": hook.url}}
        ) as world,
    ):
        fail(world, "rtr-a", "rtr-b")
        world.tell()
        assert len(hook.posts) == 1
        world.tell()
        assert len(hook.posts) == 1
        world.now += timedelta(seconds=61)
        world.tell()
        assert len(hook.posts) == 2


def test_a_letter_that_not_everybody_got_goes_only_to_those_who_did_not(tmp_path: Path) -> None:
    failing = {"2"}

    def answer(posted: Posted) -> Answer:
        return (500, {}, {}) if posted.body["chat_id"] in failing else OK

    with http(answer) as bot, made(tmp_path, telegram(bot.url, to=["1", "2", "3"])) as world:
        secret(world, "bot", "token", "token", TOKEN)
        fail(world, "rtr-a")
        world.tell()
        failing.clear()
        world.now += timedelta(minutes=1)
        world.tell()
        assert [p.body["chat_id"] for p in bot.posts] == ["1", "2", "3", "2"]


def test_escalation_calls_who_is_on_duty_unless_somebody_has_taken_it(tmp_path: Path) -> None:
    with http(lambda _: OK) as bot:
        late = {"name": "jaga", "after_s": 900, "to": ["on-duty"], "severities": ["critical"]}
        with made(tmp_path, telegram(bot.url), telegram(bot.url, **late)) as world:
            secret(world, "bot", "token", "token", TOKEN)
            person(world, "Ani", telegram="11", on_call="yes", on_duty="Mon-Fri 07.30-16.30")
            person(world, "Budi", telegram="22", on_call="yes", on_duty="Mon-Fri 16.30-07.30")
            fail(world, "rtr-a")
            world.tell()
            world.now += timedelta(minutes=16)
            world.tell()
            assert [p.body["chat_id"] for p in bot.posts] == ["-100", "11"]
            assert "belum ditangani" in bot.posts[1].body["text"]
            world.dead.add("rtr-b")
            for _ in range(2):
                world.round()
            world.tell()
            with session(world.engine) as writing:
                acknowledge(writing, writing.get_one(Alert, 2), "Ani", world.now)
            world.now += timedelta(hours=1)
            world.tell()
            assert [p.body["chat_id"] for p in bot.posts] == ["-100", "11", "-100"]


def test_an_acknowledgement_for_a_time_calls_again_when_it_is_over(tmp_path: Path) -> None:
    with (
        http(lambda _: OK) as bot,
        made(tmp_path, telegram(bot.url), telegram(bot.url, name="late", after_s=60, to=["9"])) as world,
    ):
        secret(world, "bot", "token", "token", TOKEN)
        fail(world, "rtr-a")
        with session(world.engine) as writing:
            end = world.now + timedelta(hours=2)
            acknowledge(writing, writing.get_one(Alert, 1), "Ani", world.now, until=end)
        world.now += timedelta(hours=1)
        world.tell()
        assert [p.body["chat_id"] for p in bot.posts] == ["-100"]
        world.now += timedelta(hours=1, seconds=1)
        world.tell()
        assert [p.body["chat_id"] for p in bot.posts] == ["-100", "9"]


# --- the button --------------------------------------------------------------------------------------------


def updates(*pressed: tuple[int, dict[str, Any], str]) -> Answer:
    rows = [
        {"update_id": n, "callback_query": {"id": f"q{n}", "from": who, "data": data}}
        for n, who, data in pressed
    ]
    return (200, {"ok": True, "result": [*rows, {"update_id": 99, "message": "noise"}, "noise"]}, {})


def test_who_presses_the_button_has_taken_the_alert_if_siaga_knows_him(tmp_path: Path) -> None:
    waiting: list[Answer] = []

    def answer(posted: Posted) -> Answer:
        if posted.path.endswith("getUpdates"):
            return waiting.pop(0) if waiting else updates()
        return OK

    with http(answer) as bot, made(tmp_path, telegram(bot.url)) as world:
        secret(world, "bot", "token", "token", TOKEN)
        person(world, "Ani", telegram="@ani_noc")
        fail(world, "rtr-a")
        good = mark(open_vault(world.home), 1)
        stranger, ani = {"id": 5, "username": "x"}, {"id": 6, "username": "Ani_NOC"}
        waiting.append(
            updates((10, stranger, good), (11, ani, "ack:1:" + "0" * 24), (12, ani, good), (13, ani, good))
        )
        assert listen(world.engine, world.settings, "noc", 0, lambda: world.now) == 5
        answers = [p.body["text"] for p in bot.posts if p.path.endswith("answerCallbackQuery")]
        assert answers == [
            "Anda tidak terdaftar di siaga.",
            "Tombol ini tidak dikenal.",
            "Diterima. Terima kasih.",
            "Sudah diterima oleh Ani.",
        ]
        with reading(world.engine) as opened:
            assert opened.get_one(Alert, 1).acked_by == "Ani"
            assert [n.who for n in opened.exec(select(AlertNote))] == ["Ani"]
        listen(world.engine, world.settings, "noc", 0, lambda: world.now)
        asked = [p.body["offset"] for p in bot.posts if p.path.endswith("getUpdates")]
        assert asked == [1, 100]
        conflict = {"ok": False, "description": "Conflict: terminated by other getUpdates request"}
        waiting.append((409, conflict, {}))
        with pytest.raises(TemporaryError, match="'noc' cannot be asked for: HTTP 409 Conflict"):
            listen(world.engine, world.settings, "noc", 0, lambda: world.now)


def test_no_secret_is_in_a_log_a_row_or_a_word_of_what_went_wrong(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answers: list[Answer] = [None, (500, {"description": "x"}, {}), OK]
    with http(lambda _: answers.pop(0)) as bot, made(tmp_path, telegram(bot.url)) as world:
        secret(world, "bot", "token", "token", TOKEN)
        fail(world, "rtr-a")
        whys = []
        for _ in range(3):
            whys += [d.why for d in world.tell()]
            world.now += timedelta(minutes=5)
        ready = outfit(world.engine, world.settings, "noc")
        shown = caplog.text + repr(ready) + "".join(whys)
        assert "rahasia" not in shown
        assert b"rahasia" not in (world.home / "siaga.db").read_bytes()


# --- the other channels --------------------------------------------------------------------------------------


def rename(world: Net, name: str, to: str) -> None:
    with session(world.engine) as writing:
        device = writing.exec(select(Device).where(Device.name == name)).one()
        device.name = to
        writing.add(device)
    world.rescene()


def test_a_webhook_is_signed(tmp_path: Path) -> None:
    with http(lambda _: (204, {}, {})) as hook:
        route = {"name": "hook", "channel": "webhook", "credential": "key", "options": {"url": hook.url}}
        with made(tmp_path, route) as world:
            secret(world, "key", "token", "token", "kunci")
            fail(world, "rtr-a")
            world.tell()
            (post,) = hook.posts
            good = hmac.new(b"kunci", post.octets, hashlib.sha256).hexdigest()
            assert post.headers["X-Siaga-Signature"] == f"sha256={good}"
            (alert,) = post.body["alerts"]
            assert (alert["event"], alert["rule"], alert["device"]) == ("opened", "device-down", "rtr-a")


def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    with http(lambda _: (200, {}, {})) as other:
        moved: Answer = (307, {}, {"Location": other.url})
        with http(lambda _: moved) as hook:
            route = {"name": "hook", "channel": "webhook", "options": {"url": hook.url}}
            with made(tmp_path, route) as world:
                fail(world, "rtr-a")
                assert [d.status for d in world.tell()] == ["failed"]
                assert other.posts == []


def test_alertmanager_gets_labels_a_far_end_and_then_the_real_one(tmp_path: Path) -> None:
    with http(lambda _: (200, {}, {})) as manager:
        options = {"url": manager.url, "labels": {"site": "tangerang"}}
        with made(tmp_path, {"name": "am", "channel": "alertmanager", "options": options}) as world:
            fail(world, "rtr-a")
            world.tell()
            opened_at = world.alerts()[0].opened_at
            mend(world)
            world.tell()
            first, last = (p.body[0] for p in manager.posts)
            assert {p.path for p in manager.posts} == {"/api/v2/alerts"}
            assert first["labels"] == last["labels"]
            assert first["labels"] == {
                "alertname": "device-down",
                "severity": "critical",
                "device": "rtr-a",
                "site": "tangerang",
            }
            assert first["startsAt"] == last["startsAt"] == opened_at.isoformat()
            assert first["endsAt"] > last["endsAt"]
            assert last["endsAt"] == world.alerts(closed=True)[0].closed_at.isoformat()  # type: ignore[union-attr]


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_syslog_is_one_line_that_nothing_foreign_ends(protocol: str, tmp_path: Path) -> None:
    with syslog(protocol) as log:
        route = {"name": "log", "channel": "syslog", "options": {"port": log.port, "protocol": protocol}}
        with made(tmp_path, route) as world:
            rename(world, "rtr-a", HOSTILE)
            world.names[world.ids["rtr-a"]] = "rtr-a"
            fail(world, "rtr-a")
            assert [d.status for d in world.tell()] == ["sent"]
            until(lambda: log.lines, "a line of syslog")
            (line,) = log.lines
    if protocol == "tcp":
        length, _, line = line.partition(b" ")
        assert int(length) == len(line)
    assert line.startswith(b"<130>1 2026-11-24T03:")
    assert b'device="rtr\\"\\]<b> Bcc: x@y.z' in line
    assert not any(c < 32 for c in line)
    assert "\u202e" not in line.decode()


def test_a_mail_has_headers_of_one_line_and_the_same_id_when_it_comes_twice(tmp_path: Path) -> None:
    busy = ["451 try later"]

    def refuse(line: str) -> str:
        return busy.pop() if busy and line.upper().startswith("RCPT") else ""

    with smtp(refuse) as server:
        options = {"server": "127.0.0.1", "port": server.port, "tls": "none", "sender": "siaga@example.org"}
        route = {"name": "surel", "channel": "email", "to": ["role:noc"], "options": options}
        with made(tmp_path, route) as world:
            person(world, "Ani", email="ani@example.org", role="noc")
            rename(world, "rtr-a", HOSTILE)
            fail(world, "rtr-a")
            (done,) = world.tell()
            assert (done.status, "451 try later" in done.why) == ("waiting", True)
            world.now += timedelta(minutes=1)
            assert [d.status for d in world.tell()] == ["sent"]
            (mail,) = server.mails
    assert mail.receivers == ("ani@example.org",)
    read = message_from_bytes(mail.octets, policy=default)
    assert read["Bcc"] is None
    assert read["Subject"].startswith('🔴 KRITIS: Perangkat mati · rtr"]<b> Bcc: x@y.z')
    assert read["Auto-Submitted"] == "auto-generated"
    assert "Tindakan: Periksa listrik" in read.get_content()


def test_a_mail_goes_under_starttls_to_a_server_that_is_trusted(tmp_path: Path) -> None:
    context, cert = certificate(tmp_path)
    with smtp(tls=context) as server:
        options = {"server": "127.0.0.1", "port": server.port, "sender": "siaga@example.org"}
        route = {"channel": "email", "credential": "mail", "to": ["ani@example.org"]}
        good = {"name": "good", **route, "options": {**options, "ca_file": str(cert)}}
        with made(tmp_path, good, {"name": "bad", **route, "options": options}) as world:
            secret(world, "mail", "password", "password", "rahasia", username="siaga")
            fail(world, "rtr-a")
            found = {d.route: (d.status, d.why) for d in world.tell()}
    assert found["good"] == ("sent", "")
    assert server.lines == [b"\0siaga\0rahasia"]
    assert found["bad"][0] == "waiting"
    assert "certificate" in found["bad"][1].casefold()
    assert len(server.mails) == 1


def test_a_refused_address_is_not_tried_again_and_a_password_never_goes_without_tls(tmp_path: Path) -> None:
    with smtp(lambda line: "550 no such user" if line.upper().startswith("RCPT") else "") as server:
        options = {"server": "127.0.0.1", "port": server.port, "tls": "none", "sender": "siaga@example.org"}
        to = {"channel": "email", "to": ["ani@example.org"], "options": options}
        with made(tmp_path, {"name": "a", **to}, {"name": "b", "credential": "mail", **to}) as world:
            secret(world, "mail", "password", "password", "rahasia", username="siaga")
            fail(world, "rtr-a")
            whys = {d.route: (d.status, d.why) for d in world.tell()}
            assert whys["a"] == ("failed", "the server said 550 no such user")
            assert whys["b"][0] == "failed"
            assert "without TLS" in whys["b"][1]
            assert server.mails == []


def test_hostile_text_is_escaped_for_telegram(tmp_path: Path) -> None:
    with http(lambda _: OK) as bot, made(tmp_path, telegram(bot.url)) as world:
        secret(world, "bot", "token", "token", TOKEN)
        rename(world, "rtr-a", HOSTILE)
        fail(world, "rtr-a")
        world.tell()
        text = bot.posts[0].body["text"]
    assert "rtr&quot;]&lt;b&gt; Bcc: x@y.z[2J&lt;/b&gt;&amp;{device}" in text
    assert text.count("<b>") == text.count("</b>") == 1
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_every_channel_is_found_and_holds_what_a_channel_holds() -> None:
    known = channels()
    assert sorted(known) == ["alertmanager", "email", "file", "syslog", "telegram", "webhook"]
    for channel in known.values():
        assert channel.Options.model_config["extra"] == "forbid"


# --- routes, hours, receivers ----------------------------------------------------------------------------------


def test_a_route_by_a_channel_that_is_none_is_said_to_tell_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with made(tmp_path) as world:
        config = tmp_path / "siaga.toml"
        config.write_text('[[routes]]\nname = "tower"\nchannel = "pigeon"\n')
        monkeypatch.setenv("SIAGA_CONFIG", str(config))
        monkeypatch.setenv("SIAGA_HOME", str(world.home))
        said = runner(capsys)("notify", "routes").well()
    assert "Route 'tower' has the channel 'pigeon'; there are " in said.err
    assert "default" not in said.err


def route(name: str, **more: Any) -> Route:
    return Route.model_validate({"name": name, "channel": "file", **more})


@pytest.mark.parametrize(
    ("routes", "names"),
    [
        ([], ["default"]),
        ([route("a")], ["a"]),
        ([route("a", severities=["warning"])], ["default"]),
        ([route("a", rules=["cpu-busy"]), route("b")], ["b"]),
        ([route("late", after_s=60)], ["default", "late"]),
        ([route("a", when="role=ap")], ["default"]),
        ([route("a", hours="Mon-Fri 16.00-07.00")], ["default"]),
        ([route("default", channel="syslog"), route("a")], ["default", "a"]),
    ],
)
def test_an_alert_always_has_a_way(routes: list[Route], names: list[str]) -> None:
    assert [w.route for w in ways(routes, Told("critical", "device-down"), T0)] == names


def test_quiet_hours_hold_back_what_is_less_grave_until_the_morning() -> None:
    quiet = [route("a", quiet="21.00-06.00")]
    night = T0 + timedelta(hours=12)  # 22.00 WIB
    (calm,) = ways(quiet, Told("warning", "x"), night)
    (grave,) = ways(quiet, Told("critical", "x"), night)
    assert calm.due_at == T0 + timedelta(hours=20)  # 06.00 WIB
    assert calm.if_open
    assert (grave.due_at, grave.if_open) == (night, False)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("Mon-Fri 07.30-16.30", "2026-11-24 10:00", "2026-11-28 10:00"),
        ("Sen-Jum 07:30-16:30", "2026-11-24 07:30", "2026-11-24 16:30"),
        ("Sab,Min 08.00-12.00; Sel 22.00-02.00", "2026-11-25 01:59", "2026-11-25 22:30"),
        ("Fri-Mon 00.00-24.00", "2026-11-29 23:59", "2026-11-24 00:00"),
    ],
)
def test_hours_are_read_as_people_write_them(text: str, inside: str, outside: str) -> None:
    from siaga.clock import moment

    assert hours(text).hold(moment(inside, T0))
    assert not hours(text).hold(moment(outside, T0))


@pytest.mark.parametrize(
    "text", ["", "always on", "Mon 25.00-26.00", "Foo 08.00-09.00", "08.00-08.00", "8-9"]
)
def test_what_are_no_hours_is_said(text: str) -> None:
    with pytest.raises(InvalidError, match="are no hours"):
        hours(text)


def test_when_it_is_nobodys_duty_all_on_call_are_called(tmp_path: Path) -> None:
    with made(tmp_path) as world:
        person(world, "Ani", telegram="11", on_call="yes", on_duty="Mon-Fri 07.30-16.30")
        person(world, "Budi", telegram="budi_noc", on_call="yes", on_duty="kapan saja")
        person(world, "Cici", telegram="33")
        one = route("x", to=["on-duty", "person:Cici", "-100", "-100"])
        night = T0 + timedelta(hours=12)
        with reading(world.engine) as opened:
            by_day = receivers(opened, one, "telegram", T0, "Asia/Jakarta")
            by_night = receivers(opened, one, "telegram", night, "Asia/Jakarta")
    assert by_day == ["11", "33", "-100"]
    assert by_night == ["11", "@budi_noc", "33", "-100"]


def test_two_workers_at_once_tell_once(tmp_path: Path) -> None:
    with made(tmp_path) as world:
        fail(world, "rtr-a", "rtr-b")
        with session(world.engine) as writing:
            assert len(queue.claim(writing, "default", world.now)) == 2
        assert world.tell() == []
        world.now += queue.CLAIM + timedelta(seconds=1)
        assert len(run_once(world.engine, world.settings, lambda: world.now)) == 2
        assert len(world.told()) == 2


def test_a_clock_that_is_set_back_holds_no_message_back(tmp_path: Path) -> None:
    with made(tmp_path, {"name": "late", "channel": "file", "after_s": 900}) as world:
        fail(world, "rtr-a")
        with session(world.engine) as writing:
            queue.claim(writing, "default", world.now)  # somebody claims it, and ends
        world.now -= timedelta(hours=1)
        assert [d.route for d in world.tell()] == ["default"]
        assert len(world.told()) == 1


def test_an_outbox_row_is_written_once_whatever_happens(tmp_path: Path) -> None:
    with made(tmp_path) as world:
        fail(world, "rtr-a")
        with reading(world.engine) as opened:
            keys = [n.key for n in opened.exec(select(Notification))]
        assert keys == ["1/opened/default"]
        assert json.dumps(keys)
