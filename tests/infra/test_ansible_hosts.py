"""Rows become Ansible hosts; what the rows say stays data."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from infra.hosts import Host, alias, group, host, inventory, marked, problems, with_secrets, with_snmp_user
from inventory.credentials import OpenCredential

KEY = OpenCredential("k", "ssh-key", "siaga", "", "", {"key": SecretStr("PRIVATE")})
PASSWORD = OpenCredential("p", "ssh-password", "siaga", "", "", {"password": SecretStr("hunter2")})
ROW: dict[str, Any] = {"id": 7, "name": "srv-1", "address": "192.0.2.1", "ssh_port": 22, "role": "server"}


def test_a_row_becomes_a_host_with_its_groups() -> None:
    row = {**ROW, "kecamatan": "Sepatan Timur", "agency": "Dinas Kominfo", "platform": "debian"}
    made = host(row, KEY, "ssh", {"a": 1, "b": 1, "c": 1}, {"c": 3})
    assert (made.alias, made.groups) == (
        "srv-1",
        ("role_server", "kecamatan_sepatan_timur", "agency_dinas_kominfo", "platform_debian"),
    )
    assert made.variables["ansible_host"] == "192.0.2.1"
    assert made.variables["ansible_become"] is True
    assert made.variables["siaga_login"] == "key"
    assert (made.secrets, made.key) == ({}, SecretStr("PRIVATE"))


def test_what_was_given_wins_over_the_row_and_the_row_over_the_default() -> None:
    made = host({**ROW, "vars": {"b": 2, "c": 2}}, KEY, "ssh", {"a": 1, "b": 1, "c": 1}, {"c": 3})
    assert [made.variables[k] for k in "abc"] == [1, 2, 3]


def test_a_row_cannot_pretend_to_be_another_host_or_login() -> None:
    made = host({**ROW, "vars": {"siaga_name": "x", "siaga_login": "key"}}, PASSWORD, "ssh")
    assert (made.variables["siaga_name"], made.variables["siaga_login"]) == ("srv-1", "password")


def test_a_switch_that_was_typed_as_text_is_a_switch() -> None:
    own = {"siaga_manage_services": "false", "siaga_manage_packages": "Yes", "ansible_become": "no"}
    made = host({**ROW, "vars": own}, KEY, "ssh").variables
    assert [made[k] for k in own] == [False, True, False]
    assert len(problems({**ROW, "vars": {"siaga_manage_services": "perhaps"}}, KEY)) == 1


def test_root_and_a_directory_need_no_sudo() -> None:
    root = OpenCredential("k", "ssh-key", "root", "", "", {"key": SecretStr("x")})
    assert host(ROW, root, "ssh").variables["ansible_become"] is False
    assert host({**ROW, "vars": {"siaga_root": "/srv/x"}}, KEY, "ssh").variables["ansible_become"] is False


@pytest.mark.parametrize(
    "name", ["rtr[1:3]", "a:22", "all", "localhost", "role_server", "device_9", "x\ny", "*", "!a", "", "a,b"]
)
def test_a_name_that_ansible_would_read_as_something_else_is_replaced(name: str) -> None:
    assert alias(name, 7) == "device_7"


def test_secrets_are_not_in_the_inventory_that_is_shown() -> None:
    made = host(ROW, PASSWORD, "ssh")
    assert "hunter2" not in json.dumps(inventory([made]))
    assert "hunter2" not in repr(made)
    assert "hunter2" in json.dumps(with_secrets([made], {}))


def test_every_text_is_marked_as_data() -> None:
    found = with_secrets([host({**ROW, "notes": "{{ 1 }}"}, PASSWORD, "ssh")], {})["all"]["hosts"]["srv-1"]
    assert found["siaga_notes"] == {"__ansible_unsafe": "{{ 1 }}"}
    assert found["ansible_password"] == {"__ansible_unsafe": "hunter2"}
    assert found["ansible_port"] == 22


@pytest.mark.parametrize(
    "variables",
    [
        {"ansible_connection": "local"},
        {"ansible_ssh_common_args": "-o ProxyCommand=id"},
        {"ansible_ssh_executable": "/tmp/x"},
        {"ansible_host": "-oProxyCommand=id"},
        {"ansible_user": "-l root"},
        {"ansible_python_interpreter": "/bin/sh -c id"},
        {"ansible_host": "a\n"},
        {"siaga_root": "relative"},
        {"siaga_root": "/srv/../etc"},
        {"a b": 1},
        {"x": {"__ansible_vault": "y"}},
        {"x": [{"__ansible_unsafe": {}}]},
    ],
)
def test_a_row_cannot_run_commands_on_this_machine(variables: dict[str, Any]) -> None:
    assert len(problems({**ROW, "vars": variables}, KEY)) == 1


@pytest.mark.parametrize("address", ["", "-x", "a b", "192.0.2.1\n", "$(id)", "a;b", "@x"])
def test_an_address_must_be_one(address: str) -> None:
    assert problems({**ROW, "address": address}, KEY) == ["'srv-1' has no address that can be reached."]


def test_a_good_row_has_no_problem() -> None:
    assert problems({**ROW, "vars": {"siaga_root": "/srv/x", "colour": "{{ red }}"}}, KEY) == []
    assert problems({**ROW, "address": "srv-1.tangerangkab.go.id"}, PASSWORD) == []
    assert problems({**ROW, "address": "2001:db8::1"}, PASSWORD) == []


def test_a_credential_must_fit() -> None:
    community = OpenCredential("c", "snmp-v2c", "", "", "", {"community": SecretStr("x")})
    assert problems(ROW, community) == [
        "'srv-1': credential 'c' is of kind snmp-v2c, not ssh-key or ssh-password."
    ]
    assert problems(ROW, OpenCredential("k", "ssh-key", "siaga", "", "", {})) == [
        "'srv-1': credential 'k' holds no key."
    ]


def test_a_weak_snmp_user_is_refused() -> None:
    made = Host("srv-1", "srv-1", 7)
    parts = {"auth": SecretStr("auth-secret"), "priv": SecretStr("priv-secret")}
    for auth, priv in (("MD5", "AES"), ("SHA-256", "DES"), ("SHA-256", "AES-256")):
        with pytest.raises(ValueError, match="SHA or SHA-2 and AES only"):
            with_snmp_user(made, OpenCredential("v3", "snmp-v3", "u", auth, priv, parts))
    with pytest.raises(ValueError, match="user name"):
        with_snmp_user(made, OpenCredential("v3", "snmp-v3", 'u" rwcommunity', "SHA-256", "AES", parts))


nested = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda v: st.lists(v) | st.dictionaries(st.text(), v),
    max_leaves=10,
)


@given(nested)
def test_marking_keeps_values_and_leaves_no_bare_text(value: Any) -> None:
    def bare(at: Any) -> Any:
        if isinstance(at, dict):
            return (
                at["__ansible_unsafe"]
                if set(at) == {"__ansible_unsafe"}
                else {k: bare(v) for k, v in at.items()}
            )
        assert not isinstance(at, str)
        return [bare(v) for v in at] if isinstance(at, list) else at

    assert bare(marked(value)) == value


@given(st.text(max_size=40), st.text(max_size=40))
def test_groups_are_words(kind: str, value: str) -> None:
    assert group("role", value + kind).isascii()
    assert group("role", value).replace("_", "").isalnum()
