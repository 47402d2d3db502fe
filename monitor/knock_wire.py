"""What a light probe says and hears: a GET of five scalars, the greeting of SNMPv3, and what comes back. Pure.

The octets are those of the lean engine (ber.py, snmp_message.py, usm.py).
"""

from collections.abc import Callable

from monitor import ber, usm
from monitor.identify import SYS_DESCR, SYS_NAME, SYS_OBJECT_ID, SYS_UPTIME
from monitor.snmp_agent import Kind
from monitor.snmp_message import Community, template
from monitor.tables import ENGINE_ID, Oid, Value

LIGHT = (SYS_DESCR, SYS_OBJECT_ID, SYS_UPTIME, SYS_NAME, ENGINE_ID)
LIGHT_V1 = LIGHT[:-1]  # an agent of v1 answers none of them if one is missing
Message = Callable[[int], bytes]  # of a number from 2^24 to 2^31 - 1


def get(version: int, community: bytes) -> Message:
    """Return the GET of the light scalars by its number; `version` is 0 for v1, 1 for v2c."""
    voice, asked = Community(version, community), template(Kind.get, LIGHT if version else LIGHT_V1)
    return lambda number: voice.pack(number.to_bytes(4, "big"), asked)


def greeting(number: int) -> bytes:
    """Return the message by which an SNMPv3 engine is found (RFC 3414, section 4): it holds no secret."""
    return usm.hello(number.to_bytes(4, "big"))


def read_response(data: bytes, version: int) -> tuple[int, dict[Oid, Value]]:
    """Return the number of a v1 or v2c response and what it holds; raises ber.Malformed."""
    end = len(data)
    at = ber.whole(data, 0, end, ber.SEQUENCE)
    _, at = ber.small(data, at, end, version, version)
    _, at = ber.octets(data, at, end)
    head = ber.head(data, at, end)
    if head.kind != ber.RESPONSE:
        raise ber.Malformed("no response")
    pairs = ber.varbinds(data, head.start, head.end)
    return head.number, {name: value for name, value in pairs if value is not None}


def read_report(data: bytes) -> tuple[int, bytes]:
    """Return the number of an SNMPv3 message and the engine ID of who sent it; raises ber.Malformed."""
    params = usm.params(data)
    if len(params.engine_id) < 5:  # RFC 3411
        raise ber.Malformed("no engine ID")
    return params.number, params.engine_id
