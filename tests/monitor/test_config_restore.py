"""What leads from one configuration to another: sections entered once, too much negated, single values replaced."""

import pytest

from monitor.configs.restore import commands, negated

NOW = """hostname SW-LAIN
interface Gi1
 description baru
 shutdown
 ip address 10.0.0.2 255.255.255.0
router ospf 1
 network 10.0.0.0 0.0.0.255 area 0
ntp server 10.9.9.9
end""".splitlines()
THEN = """hostname SW
interface Gi1
 description lama
 ip address 10.0.0.1 255.255.255.0
interface Gi2
router ospf 1
 network 10.1.0.0 0.0.255.255 area 0
ntp server 10.0.0.5
end""".splitlines()


def test_sections_are_entered_once_and_what_has_one_value_is_replaced() -> None:
    kind, lines = commands("cisco_ios", NOW, THEN)
    assert kind == "commands"
    assert list(lines) == [
        "no ntp server 10.9.9.9",
        "hostname SW",
        "interface Gi1",
        "no shutdown",
        "no ip address 10.0.0.2 255.255.255.0",
        "description lama",
        "ip address 10.0.0.1 255.255.255.0",
        "exit",
        "interface Gi2",
        "router ospf 1",
        "no network 10.0.0.0 0.0.0.255 area 0",
        "network 10.1.0.0 0.0.255.255 area 0",
        "exit",
        "ntp server 10.0.0.5",
    ]


def test_nothing_leads_nowhere() -> None:
    assert commands("cisco_ios", NOW, NOW) == ("commands", ())
    assert commands("juniper_junos", ["set a"], ["set a"]) == ("commands", ())


def test_huawei_undoes_and_quits() -> None:
    _, lines = commands("huawei_vrp", ["interface X", " description a"], ["interface X", " shutdown"])
    assert list(lines) == ["interface X", "undo description", "shutdown", "quit"]


def test_a_candidate_gets_what_is_deleted_and_what_is_set() -> None:
    _, lines = commands("juniper_junos", ["set a b", "set c d"], ["set a b", "set e f"])
    assert list(lines) == ["delete c d", "set e f"]


@pytest.mark.parametrize("driver", ["mikrotik_routeros", "fortinet", "linux"])
def test_what_takes_a_whole_file_gets_it_whole(driver: str) -> None:
    assert commands(driver, ["a"], ["b", "c"]) == ("whole", ("b", "c"))


@pytest.mark.parametrize(
    ("line", "word", "negative"),
    [
        ("shutdown", "no", "no shutdown"),
        ("no shutdown", "no", "shutdown"),
        ("description a b", "undo", "undo description"),
        ("ntp server 1.2.3.4", "no", "no ntp server 1.2.3.4"),
    ],
)
def test_a_line_is_taken_away(line: str, word: str, negative: str) -> None:
    assert negated(line, word) == negative
