"""What cuts the line to a network device comes back by itself: timed rollback, scheduler, over real SSH.

A device's clock stands still, and goes on by a minute with each knock that it lets nobody in by.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra import network_proof
from infra.giving_back import LINES, SHOWN
from infra.giving_back import configured as give_back
from infra.network_apply import Configured, configure, opener
from infra.network_dialects import dialect
from infra.network_proof import NotConfiguredError
from infra.network_session import Access
from tests.cli_runner import until
from tests.simulators.cli.device import Device, Faults
from tests.simulators.cli.server import running

ADDRESS = "127.93.1.1"
ARCHIVE = "archive\n path flash:siaga\n!\n"
IOS = "hostname sw-mauk\n!\n{}ntp server 192.0.2.9\n!\ninterface Vlan1\n ip address 10.9.0.2 255.255.0.0\n!\n"
ROUTEROS = """/interface vlan
add interface=ether1 name=manajemen vlan-id=10
/ip address
add address=10.20.1.1/24 interface=manajemen comment="tetap? \\"ya\\" $1"
/ip service
set ssh address=10.0.0.0/8
/system identity
set name=rtr-kresek
/system ntp client servers
add address=192.0.2.9
"""
YUNSHAN = """sysname sw-kronjo
#
ntp unicast-server 192.0.2.9
#
interface Vlanif1
 ip address 10.9.0.2 255.255.0.0
#
return
"""
WANTED = {
    "ios": (
        "%only ntp server\nntp server 192.0.2.1\n"
        "interface Vlan1\n %only ip address\n ip address 10.8.0.2 255.255.0.0\n"
    ),
    "yunshan": (
        "%only ntp unicast-server\nntp unicast-server 192.0.2.1\n"
        "interface Vlanif1\n %only ip address\n ip address 10.8.0.2 255.255.0.0\n"
    ),
    "routeros": (
        "/system ntp client servers\n%only add\nadd address=192.0.2.1\n/ip service\nset ssh address=192.0.2.0/24\n"
        "/ip address\n%only add\nadd address=10.20.2.1/24 interface=manajemen\n"
    ),
}
CUTS = {
    "ios": "ip address 10.8.0.2 255.255.0.0",
    "yunshan": "ip address 10.8.0.2 255.255.0.0",
    "routeros": "set ssh address=192.0.2.0/24",
}
TEXTS = {"ios": IOS.format(ARCHIVE), "routeros": ROUTEROS, "yunshan": YUNSHAN}


@dataclass
class Bench:
    """One device, and how siaga logs in to it."""

    make: str
    device: Device
    access: Access

    def configure(self, *, check: bool = False, confirm_s: int = 120) -> Configured:
        """Make it hold what is wanted."""
        spoken = dialect(self.make)
        return configure(
            opener(self.access, spoken, {}), spoken, WANTED[self.make], check=check, confirm_s=confirm_s
        )

    @property
    def lines(self) -> list[str]:
        """Its configuration, in an order that does not count."""
        return sorted(line.strip(" \\") for line in self.device.config.lines())

    @property
    def waits(self) -> bool:
        """Whether anything is left on it that would go back."""
        return self.device.clock.pending is not None or "siaga-back" in "\n".join(self.device.running())


@contextmanager
def bench(make: str, known: Path, faults: Faults | None = None, text: str = "") -> Iterator[Bench]:
    """Serve a device; its faults begin with the first login after this."""
    device = Device(make, text or TEXTS[make], faults=faults)
    with running([device], address=ADDRESS) as (port,):
        yield Bench(
            make,
            device,
            Access(
                ADDRESS, port, device.user, device.password, known_hosts=known, accept_new=True, timeout_s=4
            ),
        )


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where host keys are kept; knocks follow each other at once."""
    monkeypatch.setattr(network_proof, "PAUSE_S", 0.01)
    return tmp_path / "known_hosts"


MAKES = list(WANTED)


@pytest.mark.parametrize("make", MAKES)
def test_a_good_change_is_kept_saved_and_no_timer_is_left(make: str, known: Path) -> None:
    with bench(make, known) as one:
        planned = one.configure(check=True)
        assert not one.waits
        done = one.configure()
        assert done == planned, "what was shown is what was done"
        assert done.diff.startswith(
            "@@ way back: by the device itself, after 120 s, unless siaga can log in anew\n"
        )
        assert not one.waits
        one.device.clock.passes(1000)
        assert one.configure() == Configured(False, ""), "a second apply changes nothing"
        assert one.device.saved == one.device.config.lines() or make == "routeros"


@pytest.mark.parametrize("make", MAKES)
@pytest.mark.parametrize("fault", ["cut_by", "shut_by"])
def test_what_cuts_the_line_comes_back_and_nothing_is_saved(make: str, fault: str, known: Path) -> None:
    # Of one make the line falls silent, of the others it breaks: silence lasts as long as siaga's patience.
    with bench(make, known, Faults(**{fault: CUTS[make]}, hangs_up=make != "ios")) as one:
        before, saved = one.lines, one.device.saved
        with pytest.raises(NotConfiguredError) as caught:
            one.configure()
        assert one.lines == before
        assert not one.waits
        assert one.device.saved == saved
        said = (
            "the device took it back by itself, 120 s after"
            if fault == "cut_by"
            else "all of it was taken back"
        )
        assert said in str(caught.value)
        if fault == "cut_by":
            assert ("no prompt came within 4 s" if make == "ios" else "it hung up") in str(caught.value)


@pytest.mark.parametrize("make", MAKES)
def test_a_time_that_is_over_while_siaga_still_works_is_said_and_nothing_is_saved(
    make: str, known: Path
) -> None:
    slow = {"ios": "show running-config", "routeros": "/export", "yunshan": "display current-configuration"}[
        make
    ]
    with bench(make, known, Faults(slow_by=slow, knock_s=130)) as one:
        before, saved = one.lines, one.device.saved
        with pytest.raises(
            NotConfiguredError, match=r"its time of 120 s was over .*; all of it was taken back"
        ):
            one.configure()
        assert (one.lines, one.device.saved, one.waits) == (before, saved, False)


def test_what_ios_says_a_minute_before_disturbs_nothing(known: Path) -> None:
    with bench("ios", known, Faults(slow_by="show running-config", knock_s=70)) as one:
        planned = one.configure(check=True)
        assert one.configure() == planned
        assert one.device.clock.notices == [], "it was said"
        assert not one.waits
        assert one.device.holds("ntp server 192.0.2.1")


@pytest.mark.parametrize("make", MAKES)
def test_an_earlier_change_that_still_waits_is_left_to_its_end(make: str, known: Path) -> None:
    with bench(make, known) as one:
        if make == "routeros":
            one.device.config.enter('/system scheduler add name=siaga-back interval=60s on-event=""', [])
        else:
            one.device.clock.arm(60)
        before = one.lines
        with pytest.raises(NotConfiguredError, match="an earlier change still waits there to be taken back"):
            one.configure()
        assert one.lines == before
        assert one.waits


def test_ios_without_an_archive_goes_the_way_it_always_went_and_the_plan_says_so(known: Path) -> None:
    with bench("ios", known, Faults(shut_by=CUTS["ios"]), IOS.format("")) as one:
        before = one.lines
        planned = one.configure(check=True)
        assert planned.diff.startswith(
            "@@ way back: by siaga over its first login, not by the device: it keeps no archive of its own"
        )
        with pytest.raises(NotConfiguredError, match="all of it was taken back"):
            one.configure()
        assert one.lines == before
        assert not any("revert" in line for line in one.device.heard)


@pytest.mark.parametrize(
    ("make", "faults", "said"),
    [
        ("ios", Faults(refuses=("configure terminal revert timer 2",)), "timer 2': % Invalid input detected"),
        ("routeros", Faults(forbids="/system scheduler add"), "not enough permissions"),
    ],
)
def test_a_timer_that_is_refused_is_no_reason_to_stop_and_it_is_said(
    make: str, faults: Faults, said: str, known: Path
) -> None:
    with bench(make, known, faults) as one:
        first, _, _ = one.configure().diff.partition("\n")
        assert first.startswith("@@ way back: by siaga over its first login, not by the device: it refused '")
        assert said in first
        assert not one.waits, "nothing of the attempt is left"
        assert one.configure() == Configured(False, "")


@pytest.mark.parametrize("confirm_s", [0, 120])
def test_what_was_not_yet_taken_away_is_not_added_a_second_time(confirm_s: int, known: Path) -> None:
    with bench("routeros", known, Faults(forbids="/ip address remove")) as one:
        before = one.lines
        with pytest.raises(NotConfiguredError, match=r"not enough permissions .*; all of it was taken back"):
            one.configure(confirm_s=confirm_s)
        assert (one.lines, one.waits) == (before, False)


@pytest.mark.parametrize("platform", ["vrp", "ruijie"])
def test_a_platform_without_a_timer_says_so(platform: str, known: Path) -> None:
    text = "ntp-service unicast-server 192.0.2.9\n" if platform == "vrp" else "ntp server 192.0.2.9\n"
    device = Device(platform, text)
    with running([device], address=ADDRESS) as (port,):
        access = Access(ADDRESS, port, device.user, device.password, known_hosts=known, accept_new=True)
        spoken = dialect(platform)
        wanted = text.replace("192.0.2.9", "192.0.2.1")
        done = configure(opener(access, spoken, {}), spoken, wanted, check=False, confirm_s=120)
    assert done.diff.startswith(
        f"@@ way back: by siaga over its first login, not by the device: {platform} has no timer"
    )


def test_a_user_that_no_configuration_shows_is_taken_away_with_the_rest(known: Path) -> None:
    line = "snmp-server user noc g v3 auth sha <secret:a> priv aes 128 x"
    user = f"%unless show snmp user noc => User name: noc\n{line}\n%end\n"
    spoken = dialect("ios")
    with bench("ios", known, Faults(shut_by=CUTS["ios"])) as one:
        login = opener(one.access, spoken, {"a": "rahasia-1"})
        with pytest.raises(NotConfiguredError, match="all of it was taken back"):
            configure(login, spoken, WANTED["ios"] + user, check=False, confirm_s=120)
        assert "no snmp-server user noc g v3 auth sha" in one.device.heard


EARLIER = {
    "ios": [
        "interface Vlan1",
        "ip address 10.8.0.2 255.255.0.0",
        "exit",
        "username rahasia password 0 rahasia-2",
    ],
    "yunshan": ["interface Vlanif1", "ip address 10.8.0.2 255.255.0.0", "quit"],
    "routeros": ["/ip service set ssh address=192.0.2.0/24"],
}


def restored(one: Bench, *, check: bool = False) -> Configured:
    """Give the device an earlier configuration back."""
    spoken = dialect(one.make)
    known = {LINES: "\n".join(EARLIER[one.make]), SHOWN: "+ as it was"}
    return give_back(opener(one.access, spoken, {}, quiet=True), spoken, known, check=check, confirm_s=120)


@pytest.mark.parametrize("make", MAKES)
def test_an_earlier_configuration_is_given_back_with_a_way_back_where_the_device_has_one(
    make: str, known: Path
) -> None:
    said = "none by itself: what would undo" if make == "routeros" else "by the device itself, after 120 s"
    with bench(make, known) as one:
        planned = restored(one, check=True)
        assert planned.diff.startswith(f"@@ way back: {said}")
        assert restored(one) == planned
        assert one.device.holds(CUTS[make])
        assert not one.waits


@pytest.mark.parametrize("make", ["ios", "yunshan"])
def test_an_earlier_configuration_that_cuts_the_line_goes_back_too(make: str, known: Path) -> None:
    with bench(make, known, Faults(cut_by=CUTS[make], hangs_up=True)) as one:
        before, saved = one.lines, one.device.saved
        with pytest.raises(NotConfiguredError, match="the device took it back by itself, 120 s after"):
            restored(one)
        assert (one.lines, one.device.saved, one.waits) == (before, saved, False)


def test_a_refused_line_of_an_earlier_configuration_is_taken_back_at_once_and_never_shown(
    known: Path,
) -> None:
    with bench("ios", known, Faults(refuses=(EARLIER["ios"][-1],))) as one:
        before = one.lines
        with pytest.raises(NotConfiguredError) as caught:
            restored(one)
        assert str(caught.value) == "Not configured: it refused a line; all of it was taken back."
        assert (one.lines, one.waits) == (before, False)


ALONE = """
import sys
from pathlib import Path
from infra.network_apply import configure, opener
from infra.network_dialects import dialect
from infra.network_session import Access
host, port, user, password, known, make, wanted = sys.argv[1:]
access = Access(host, int(port), user, password, known_hosts=Path(known), accept_new=True)
configure(opener(access, dialect(make), {}), dialect(make), wanted, check=False, confirm_s=120)
"""


@pytest.mark.parametrize("make", MAKES)
def test_siaga_killed_before_it_could_confirm_leaves_the_device_to_go_back(make: str, known: Path) -> None:
    with bench(make, known, Faults(cut_by=CUTS[make], knock_s=0)) as one:
        before, saved, to = one.lines, one.device.saved, one.access
        given = [to.host, str(to.port), to.user, to.password, str(known), make, WANTED[make]]
        process = subprocess.Popen([sys.executable, "-c", ALONE, *given])
        try:
            until(lambda: one.device.holds(CUTS[make]), "the change was never made", 30)
        finally:
            process.kill()
            process.wait()
        one.device.clock.passes(119)
        assert one.lines != before
        one.device.clock.passes(1)
        assert (one.lines, one.device.saved, one.waits) == (before, saved, False)


def test_without_a_time_the_cut_stays_as_it_always_did(known: Path) -> None:
    with bench("ios", known, Faults(cut_by=CUTS["ios"], hangs_up=True)) as one:
        with pytest.raises(NotConfiguredError, match="what was typed may still stand, nothing was saved"):
            one.configure(confirm_s=0)
        assert CUTS["ios"] in one.lines
