"""What compliance costs: 2,000 configurations of 1,500 lines by 40 rules each, in CPU seconds, from text to database.

Half of them are switches of Cisco's with 48 ports and long lists, a quarter VRP, a quarter RouterOS with a long address
list and firewall. Each has a name, and a mistake, of its own. Run by itself: `python -m bench.compliance [DEVICES]`.
"""

import hashlib
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from inventory.database import initialise
from inventory.history import Author
from inventory.store import open_engine, session
from inventory.writing import Writer
from monitor.compliance.check import Subject, check
from monitor.compliance.files import Library, load
from monitor.compliance.store import store
from monitor.compliance.texts import Text
from siaga.settings import Settings

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
LINES, RULES = 1500, 40
KNOWN = {
    "ntp_servers": ["10.36.0.1", "10.36.0.2"],
    "syslog_servers": ["10.36.0.9"],
    "vlans": list(range(1, 400)),
}
PLATFORMS = ("ios", "vrp", "ios", "routeros")


class Made:
    """Texts that are made when they are asked for, one at a time, as a store would read them."""

    def latest(self, devices: Sequence[tuple[int, str]]) -> Iterator[Text]:
        """Yield a text of each device."""
        for number, name in devices:
            text = _TEXTS[PLATFORMS[number % 4]](name, number)
            yield Text(number, text, NOW, hashlib.sha256(text.encode()).hexdigest(), whole=True)


def _ios(name: str, number: int) -> str:
    head = (
        f"version 15.2\nservice password-encryption\nhostname {name}\nenable secret 9 x\naaa new-model\n!\n"
    )
    port = " description meja {n}\n switchport access vlan {v}\n switchport mode access\n spanning-tree portfast\n!\n"
    ports = "".join(
        f"interface GigabitEthernet0/{n}\n" + port.format(n=n, v=n % 30 + 10) for n in range(1, 49)
    )
    lists = "".join(f" permit tcp host 10.{n >> 8}.{n & 255}.1 any eq 443\n" for n in range(LINES - 330))
    tail = "no ip http server\nip ssh version 2\nlogging host 10.36.0.9\nntp server 10.36.0.1\nntp server 10.36.0.2\n"
    vty = f"line vty 0 4\n access-class MANAJEMEN in\n transport input {'telnet ssh' if number % 3 else 'ssh'}\nend\n"
    return f"{head}{ports}ip access-list extended PANJANG\n{lists}!\n{tail}{vty}"


def _vrp(name: str, number: int) -> str:
    port = "#\ninterface GigabitEthernet0/0/{n}\n port link-type access\n port default vlan {v}\n"
    ports = "".join(port.format(n=n, v=n % 30 + 10) for n in range(1, 49))
    lists = "".join(
        f" rule {n} permit ip source 10.{n >> 8}.{n & 255}.0 0.0.0.255\n" for n in range(LINES - 220)
    )
    servers = "info-center loghost 10.36.0.9\nntp-service unicast-server 10.36.0.1\n"
    vty = f"user-interface vty 0 4\n acl 2000 inbound\n protocol inbound {'all' if number % 3 else 'ssh'}\n#\nreturn\n"
    return f"#\nsysname {name}\n#\nacl number 3000\n{lists}{ports}#\n{servers}stelnet server enable\n#\n{vty}"


def _routeros(name: str, number: int) -> str:
    lists = "".join(f"add address=10.{n >> 8}.{n & 255}.0/24 list=kantor\n" for n in range(LINES - 220))
    rules = "".join(f"add action=accept chain=forward dst-port={n} protocol=tcp\n" for n in range(200))
    off = "set telnet disabled=yes\n" if number % 3 else ""
    return (
        f"/interface bridge\nadd name=bridge\n/ip firewall address-list\n{lists}/ip firewall filter\n{rules}"
        f"add action=drop chain=input\n/ip service\n{off}set ftp disabled=yes\n/system identity\nset name={name}\n"
    )


_TEXTS = {"ios": _ios, "vrp": _vrp, "routeros": _routeros}


def forty(library: Library) -> Library:
    """Return the rules of each platform, again under other names until there are forty."""
    books, names = dict(library.books), dict(library.by_name)
    for platform in _TEXTS:
        own = library.books[platform].rules
        more = [
            own[n % len(own)].model_copy(update={"name": f"{own[n % len(own)].name}-{n}", "roles": ()})
            for n in range(len(own), RULES)
        ]
        names |= {r.name: r for r in more}
        books[platform] = replace(library.books[platform], rules=(*own, *more))
    return replace(library, books=books, by_name=names)


def main(count: int) -> None:
    """Measure, and print what judging and storing took."""
    with TemporaryDirectory(prefix="siaga-bench-") as directory:
        settings = Settings(home=Path(directory) / "home")
        initialise(settings)
        engine = open_engine(settings)
        with session(engine) as writing:
            writer = Writer(writing, Author("bench", NOW))
            for n in range(1, count + 1):
                writer.put("device", {"name": f"dev-{n}", "platform": PLATFORMS[n % 4]})
            writer.flush()
            ids = writer.ids("device")
        library = forty(load(None))
        subjects = [
            Subject(i, name, PLATFORMS[i % 4], "switch", {**KNOWN, "name": name}) for name, i in ids.items()
        ]
        lines = (
            sum(t.text.count("\n") for t in Made().latest([(s.device_id, s.name) for s in subjects[:8]])) / 8
        )
        began = time.process_time()
        texts = list(Made().latest([(s.device_id, s.name) for s in subjects]))
        made_s = time.process_time() - began
        del texts
        began = time.process_time()
        results = list(check(subjects, library, Made(), NOW))
        judged_s = time.process_time() - began - made_s
        answers = sum(len(r.answers) for r in results)
        print(f"{count} configurations of {lines:.0f} lines, {answers / count:.0f} rules each")
        print(f"judged: {judged_s:.2f} CPU s, {judged_s / count * 1e3:.2f} ms each")
        for title in ("stored, all new", "stored, all as before"):
            began = time.process_time()
            with session(engine) as writing:
                kept = store(writing, results, library, NOW)
            print(
                f"{title}: {time.process_time() - began:.2f} CPU s ({kept.opened} opened, {kept.again} again)"
            )
        engine.dispose()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
