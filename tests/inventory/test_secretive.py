"""One answer to what is a secret, for writing, importing, explaining and exporting."""

from typing import Any

import pytest

from inventory.secretive import plain_secrets, secret_like


@pytest.mark.parametrize(
    "name",
    [
        "snmp_community", "snmpCommunity", "PASSWORD", "adminPassword", "ansible_password", "become_pass", "api_key",
        "apikey", "ntp.auth_key", "enable_secret", "clientSecret", "secretKey", "my_secret2", "db.token", "TOKEN",
        "vault_x", "kata_sandi", "wpa_psk", "enable", "credentials",
    ],
)  # fmt: skip
def test_what_holds_a_secret_is_told_by_its_name(name: str) -> None:
    assert secret_like(name)


@pytest.mark.parametrize(
    "name",
    [
        "snmp_location", "ntp_servers", "key_exchange", "passive_interface", "tokens_per_s", "tokens_ring", "bypass",
        "keyboard", "compass", "bgp_community", "extcommunities", "secretariat", "enabled",
    ],
)  # fmt: skip
def test_what_does_not_is_left_alone(name: str) -> None:
    assert not secret_like(name)


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("admin_password", "rahasia", ["admin_password"]),
        ("snmp_community", "secret://noc/community", []),
        ("snmp_community", "", []),
        ("enable", "true", []),
        ("mtu", "1500", []),
        ("snmp", '{"port": 161, "community": "x"}', ["snmp.community"]),
        ("users", [{"name": "a", "password": "x"}, {"password": "secret://a"}], ["users.password"]),
        ("keyboard", "us", []),
    ],
)
def test_secrets_in_the_clear_are_found_at_any_depth(name: str, value: Any, found: list[str]) -> None:
    assert plain_secrets(name, value) == found
