"""SNMPv3 users as net-snmp keeps them: keys localised to one engine (RFC 3414, A.2; RFC 7860; RFC 3826)."""

import hashlib
import re
from collections.abc import Mapping

from pydantic import SecretStr

# Hash, and the protocol's number below usmAuthProtocols (1.3.6.1.6.3.10.1.1).
AUTH: Mapping[str, tuple[str, int]] = {
    "SHA-256": ("sha256", 5),
    "SHA-384": ("sha384", 6),
    "SHA-512": ("sha512", 7),
    "SHA-224": ("sha224", 4),
    "SHA": ("sha1", 2),
}
PRIV = {"AES": (16, 4)}  # AES-128: key octets, number below usmPrivProtocols (1.3.6.1.6.3.10.1.2)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")  # RFC 3414: 1 to 32 octets; no spaces in snmpd.conf
_MEBI = 1_048_576


def engine_id(seed: str) -> str:
    """Return an engine ID in hex, the same for the same seed: net-snmp's number, 'octets', 12 octets of hash.

    RFC 3411, SnmpEngineID: 8072 with the first bit set, then 5.
    """
    return "80001f8805" + hashlib.sha256(f"siaga-engine\0{seed}".encode()).hexdigest()[:24]


def localised(secret: SecretStr, engine: str, hash_name: str) -> bytes:
    """Return the localised key Kul of a passphrase: RFC 3414, A.2.1 and 2.6, with the named hash."""
    text = secret.get_secret_value().encode()
    key = hashlib.new(hash_name, (text * (_MEBI // len(text) + 1))[:_MEBI]).digest()
    return hashlib.new(hash_name, key + bytes.fromhex(engine) + key).digest()


def user_variables(
    name: str, engine: str, auth: tuple[str, SecretStr], priv: tuple[str, SecretStr]
) -> tuple[dict[str, str], dict[str, SecretStr]]:
    """Return the plain and the secret variables of the role snmp_agent for one user.

    The line is what snmpd 5.9 itself writes into its memory; the pattern finds it there with any spelling
    of the names, the regexp finds an older line of the same user. Raises ValueError with the reason.
    """
    if not NAME.fullmatch(name):
        raise ValueError("its user name must be 1 to 32 letters, digits, '_', '.' or '-'")
    if auth[0] not in AUTH or priv[0] not in PRIV:
        raise ValueError("net-snmp is set up with SHA or SHA-2 and AES only")
    hash_name, auth_number = AUTH[auth[0]]
    octets, priv_number = PRIV[priv[0]]
    auth_key = "0x" + localised(auth[1], engine, hash_name).hex()
    priv_key = "0x" + localised(priv[1], engine, hash_name)[:octets].hex()
    oids = f".1.3.6.1.6.3.10.1.1.{auth_number}", f".1.3.6.1.6.3.10.1.2.{priv_number}"
    line = f'usmUser 1 3 0x{engine} "{name}" "{name}" NULL {oids[0]} {auth_key} {oids[1]} {priv_key} 0x'
    spelled = f'(?:"{re.escape(name)}"|0x{name.encode().hex()}(?:00)?)'
    plain = {
        "snmp_user": name,
        "snmp_engine_id": engine,
        "snmp_user_regexp": rf"^usmUser \S+ \S+ 0x{engine} {spelled} ",
    }
    pattern = (
        rf"(?m)^usmUser \S+ \S+ 0x{engine} {spelled} .*{re.escape(oids[0])} {auth_key} "
        rf"{re.escape(oids[1])} {priv_key}(\s|$)"
    )
    return plain, {"snmp_user_line": SecretStr(line), "snmp_user_pattern": SecretStr(pattern)}
