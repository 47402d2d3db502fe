"""No secret of a configuration is kept as evidence; what is none is shown as it is."""

import pytest

from monitor.compliance.scrub import scrubbed

SECRET = "Sangat-Rahasia1"
HOLDING = [
    f"enable password {SECRET}",
    f"enable secret 9 $9${SECRET}",
    f"username admin privilege 15 password 7 {SECRET}",
    f"snmp-server community {SECRET} RO 10",
    f"snmp-server user pantau grup v3 auth sha {SECRET} priv aes 128 {SECRET}",
    f"snmp-agent community read cipher %^%#{SECRET}%^%#",
    f"local-user admin password irreversible-cipher $1c${SECRET}$",
    f"ntp authentication-key 1 md5 {SECRET}",
    f"set psksecret ENC {SECRET}",
    f'set passwd "{SECRET}"',
    f"add name=ppp1 password={SECRET} service=l2tp",
    f'set [ find default=yes ] authentication-password="{SECRET} {SECRET}" name=x',
    f"key {SECRET}",
    f"tacacs-server host 10.0.0.1 key {SECRET}",
    f"rocommunity {SECRET} 10.0.0.0/8",
    f"neighbor 10.0.0.2 password {SECRET}",
    f"wpa2-pre-shared-key={SECRET}",
    f"PASSWORD: {SECRET}",
]
PLAIN = [
    "transport input telnet ssh",
    "ntp server 8.8.8.8",
    "PasswordAuthentication yes",
    "no service password-encryption",
    "set admintimeout 480",
    "switchport trunk allowed vlan all",
    "ip http server",
    "add action=accept chain=forward dst-port=22",
    "area 0 authentication message-digest",
]


@pytest.mark.parametrize("line", HOLDING)
def test_a_secret_goes(line: str) -> None:
    assert SECRET not in scrubbed(line)
    assert scrubbed(line) != line


@pytest.mark.parametrize("line", PLAIN)
def test_what_is_no_secret_stays(line: str) -> None:
    assert scrubbed(line) == line


def test_the_name_of_a_community_is_one() -> None:
    line = f"add addresses=::/0 name={SECRET} write-access=yes"
    assert SECRET in scrubbed(line)
    assert scrubbed(line, "/snmp community") == "add addresses=::/0 name=*** write-access=yes"
