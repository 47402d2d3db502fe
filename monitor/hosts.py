"""What a sweep is asked, and what it knows of each address that answered."""

from dataclasses import dataclass, field

from monitor.around import Named
from monitor.knock import Greeting
from monitor.observation import Observation, Reach
from monitor.pace import Pace
from monitor.scope import Scope
from monitor.targets import SnmpAuth

HEARD = (Reach.up, Reach.partial)


@dataclass(frozen=True)
class Login:
    """A credential to try, by its name in the inventory ('' for the community "public")."""

    name: str
    auth: SnmpAuth


@dataclass(frozen=True)
class Plan:
    """What a sweep does. `attempts`: credentials at one address; `hops`: how far neighbours are followed.

    `pace` is that of the echo and of the light probe, the other waits are those of a look at a device.
    `ports`: TCP ports to look at, of hosts without SNMP only if they are few, or `ports_of_all`.
    """

    scope: Scope
    logins: tuple[Login, ...]
    pace: Pace
    port: int = 161
    ping: bool = True
    attempts: int = 4
    concurrency: int = 32
    timeout_s: float = 2.0
    retries: int = 2
    look_s: float = 60.0
    hops: int = 0
    ports: tuple[int, ...] = ()
    ports_of_all: bool = False


@dataclass
class Host:
    """One address that answered anything. `same_as`: the address at which this box was looked at instead.

    `login`: what opened it; `refused`: why SNMP would not have us, or why nothing more came of it.
    """

    address: str
    rtt_s: float | None = None
    greeting: Greeting = field(default_factory=Greeting)
    login: Login | None = None
    attempts: int = 0
    seen: Observation | None = None
    named: tuple[Named, ...] = ()
    same_as: str = ""
    refused: str = ""
    found_by: str = ""
    ports: tuple[int, ...] = ()

    @property
    def heard(self) -> bool:
        """Whether it was looked at and told what it is."""
        return self.seen is not None and self.seen.reach in HEARD

    @property
    def own(self) -> frozenset[str]:
        """The IPv4 addresses that it says are its own."""
        return frozenset(a.address for a in self.seen.ipv4) if self.seen else frozenset()


@dataclass
class Tally:
    """How far a sweep came; it counts up while the sweep goes on."""

    total: int = 0
    asked: int = 0
    alive: int = 0
    answering: int = 0
    looked: int = 0
