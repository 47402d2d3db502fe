"""What cuts the line to a network device comes back by itself: timed rollback, scheduler, over real SSH.

A device's clock stands still, and goes on by a minute with each knock that it lets nobody in by.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra import network_proof
from infra.network_apply import Configured, NotConfiguredError, configure, opener
from infra.network_dialects import dialect
from infra.network_session import Access
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
WANTED = {
    "ios": "%only ntp server\nntp server 192.0.2.1\ninterface Vlan1\n %only ip address\n ip address 10.8.0.2 255.255.0.0\n",
    "routeros": (
        "/system ntp client servers\n%only add\nadd address=192.0.2.1\n/ip service\nset ssh address=192.0.2.0/24\n"
        "/ip address\n%only add\nadd address=10.20.2.1/24 interface=manajemen\n"
    ),
}
CUTS = {"ios": "ip address 10.8.0.2 255.255.0.0", "routeros": "set ssh address=192.0.2.0/24"}
TEXTS = {"ios": IOS.format(ARCHIVE), "routeros": ROUTEROS}


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
                ADDRESS, port, device.user, device.password, known_hosts=known, accept_new=True, timeout_s=2
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
            "@@ way back: the device itself, 120 s later, unless siaga can log in anew\n"
        )
        assert not one.waits
        one.device.clock.passes(1000)
        assert one.configure() == Configured(False, ""), "a second apply changes nothing"
        assert one.device.saved == one.device.config.lines() or make == "routeros"


@pytest.mark.parametrize("make", MAKES)
@pytest.mark.parametrize("fault", ["cut_by", "shut_by"])
def test_what_cuts_the_line_comes_back_and_nothing_is_saved(make: str, fault: str, known: Path) -> None:
    with bench(make, known, Faults(**{fault: CUTS[make]})) as one:
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


def test_without_a_time_the_cut_stays_as_it_always_did(known: Path) -> None:
    with bench("ios", known, Faults(cut_by=CUTS["ios"])) as one:
        with pytest.raises(NotConfiguredError, match="what was typed may still stand, nothing was saved"):
            one.configure(confirm_s=0)
        assert CUTS["ios"] in one.lines
