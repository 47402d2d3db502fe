"""What is typed on a network device, from what it has and what is wanted: literal configurations, no device."""

import pytest

from infra.network import Change, blocks, changes, filled, masked, shown, taken_back, typed
from infra.network_dialects import dialect, names
from infra.network_scripts import LONGEST, scripts

IOS = """Building configuration...

Current configuration : 900 bytes
!
hostname sw-mauk
ntp server 192.0.2.9
ntp server 192.0.2.1
ip http server
!
ip access-list standard siaga-management
 10 permit 10.9.0.0 0.0.255.255
!
line vty 0 4
 access-class OLD in
 transport input telnet ssh
!
end
"""
VRP = """!Software Version V200R019C10SPC500
#
sysname sw-kronjo
#
info-center loghost 192.0.2.9 facility local6
#
snmp-agent usm-user v3 noc authentication-mode sha cipher %^%#abc%^%#
#
acl number 2998
 rule 5 permit source 10.9.0.0 0.0.255.255
#
return
"""
ROUTEROS = r"""# 2026-11-26 10:00:00 by RouterOS 7.14.3
/interface vlan
add interface=ether2 name=vlan30 vlan-id=30
/snmp community
set [ find default=yes ] addresses=0.0.0.0/0
add addresses=10.0.0.0/8 authentication-protocol=SHA1 encryption-protocol=AES \
    name=noc security=private
/ip service
set telnet disabled=yes
set www address=10.0.0.0/8
/system ntp client servers
add address=192.0.2.9
"""


def todo(platform: str, running: str, template: str, **answers: str) -> list[Change]:
    """Return the changes; `answers` are what the device says to commands, with _ for blanks."""
    said = {k.replace("_", " "): v for k, v in answers.items()}
    return changes(dialect(platform).grammar, running, template, lambda command: said.get(command, ""))


@pytest.mark.parametrize(
    ("platform", "running", "template", "lines"),
    [
        ("ios", IOS, "%only ntp server\nntp server 192.0.2.1\n", ["no ntp server 192.0.2.9"]),
        ("ios", IOS, "ntp server 192.0.2.1\n", []),
        ("ios", IOS, "no ip http server\nno ip http secure-server\n", ["no ip http server"]),
        ("ios", IOS, "%gone ip http\n", ["no ip http server"]),
        ("ios", IOS, "banner login ^CJaga diri^C\n", ["banner login ~Jaga diri~"]),
        (
            "ios",
            IOS,
            "ip access-list standard siaga-management\n %only permit\n permit 10.0.0.0 0.255.255.255\n",
            [
                *("ip access-list standard siaga-management", "no permit 10.9.0.0 0.0.255.255", "exit"),
                *("ip access-list standard siaga-management", "permit 10.0.0.0 0.255.255.255", "exit"),
            ],
        ),
        ("ios", IOS, "ip access-list standard siaga-management\n permit 10.9.0.0 0.0.255.255\n", []),
        (
            "ios",
            IOS,
            "line vty 0 4\n %only transport input\n transport input ssh\n",
            [
                *("line vty 0 4", "no transport input telnet ssh", "exit"),
                *("line vty 0 4", "transport input ssh", "exit"),
            ],
        ),
        (
            "ios",
            "",
            "ip access-list standard new\n permit 10.0.0.1\n",
            [
                *("ip access-list standard new", "exit"),
                *("ip access-list standard new", "permit 10.0.0.1", "exit"),
            ],
        ),
        (
            "vrp",
            VRP,
            "%only info-center loghost\ninfo-center loghost 192.0.2.1\n",
            ["undo info-center loghost 192.0.2.9", "info-center loghost 192.0.2.1"],
        ),
        ("vrp", VRP, "acl number 2998\n %only rule\n", ["acl number 2998", "undo rule 5", "quit"]),
        ("vrp", VRP, "snmp-agent usm-user v3 noc authentication-mode sha cipher <secret:a>\n", []),
        ("vrp", VRP, "undo telnet server enable\n", []),
        ("routeros", ROUTEROS, "/ip service\nset telnet disabled=yes\nset ftp disabled?=no\n", []),
        (
            "routeros",
            ROUTEROS,
            "/ip service\nset www disabled=yes\n/ip ssh\nset strong-crypto=yes\n",
            ["/ip service set www disabled=yes", "/ip ssh set strong-crypto=yes"],
        ),
        (
            "routeros",
            ROUTEROS,
            "/system ntp client servers\n%only add\nadd address=192.0.2.1\n",
            [
                "/system ntp client servers remove [ find address=192.0.2.9 ]",
                "/system ntp client servers add address=192.0.2.1",
            ],
        ),
        (
            "routeros",
            ROUTEROS,
            '/snmp community\nadd name=noc addresses=10.0.0.0/8 authentication-password="<secret:a>"\n',
            [],
        ),
        (
            "routeros",
            ROUTEROS,
            "/snmp community\nadd name=noc addresses=10.1.0.0/16\n",
            ["/snmp community set [ find name=noc ] addresses=10.1.0.0/16"],
        ),
        (
            "routeros",
            ROUTEROS,
            "/snmp community\nset [ find default=yes ] disabled=yes\n",
            ["/snmp community set [ find default=yes ] disabled=yes"],
        ),
    ],
)
def test_what_is_typed(platform: str, running: str, template: str, lines: list[str]) -> None:
    assert typed(todo(platform, running, template)) == lines


def test_what_no_configuration_shows_is_asked_for() -> None:
    template = (
        "%unless show snmp user => User name: noc\nsnmp-server user noc g v3 auth sha <secret:a>\n%end\n"
    )
    assert typed(todo("ios", IOS, template)) == ["snmp-server user noc g v3 auth sha <secret:a>"]
    assert todo("ios", IOS, template, show_snmp_user="User name: noc\n") == []


def test_what_is_sent_always_is_not_missed_when_it_is_read_back() -> None:
    template = "%always\nsnmp-server user noc g v3 auth sha <secret:a>\n%end\n"
    grammar = dialect("ios").grammar
    assert len(changes(grammar, IOS, template, str)) == 1
    assert changes(grammar, IOS, template, str, again=True) == []


def test_every_line_typed_can_be_taken_back_in_reverse() -> None:
    template = (
        "%only ntp server\nntp server 192.0.2.1\nline vty 0 4\n %only access-class\n access-class NEW in\n"
    )
    assert taken_back(todo("ios", IOS, template)) == [
        ("line vty 0 4", "no access-class NEW in", "exit"),
        ("line vty 0 4", "access-class OLD in", "exit"),
        ("ntp server 192.0.2.9",),
    ]
    back = taken_back(todo("routeros", ROUTEROS, "/ip service\nset www address=10.1.0.0/16 disabled=yes\n"))
    assert back == [("/ip service set www address=10.0.0.0/8 disabled=no",)]


def test_a_way_back_is_scripts_that_do_no_harm_to_what_a_change_has_not_reached() -> None:
    template = '/system note\nset note="a?"\n/system ntp client servers\n%only add\n'
    running = f'{ROUTEROS}/system note\nset note="bayar \\$1? ya"\n'
    (source,), runs = scripts(todo("routeros", running, template))
    assert source == (
        r":do { /system note set note=\"bayar \\\$1\3F ya\" } on-error={}; "
        ":do { :if ([:len [/system ntp client servers find address=192.0.2.9]] = 0)"
        " do={ /system ntp client servers add address=192.0.2.9 } } on-error={}; "
    )
    assert runs == (
        ":do { /system script run siaga-back-1 } on-error={}; "
        r":do { /system script remove [ find name~\"^siaga-back-\" ] } on-error={}; "
        ":do { /system scheduler remove siaga-back } on-error={}; "
    )


def test_no_script_is_longer_than_a_line_holds() -> None:
    wanted = "/interface vlan\n" + "".join(
        f"add interface=ether2 name=v{n} vlan-id={n}\n" for n in range(40, 90)
    )
    sources, runs = scripts(todo("routeros", ROUTEROS, wanted))
    assert max(map(len, sources)) <= LONGEST
    assert "".join(sources).index("name=v89") < "".join(sources).index("name=v40"), "the last first"
    assert runs.count("script run") == len(sources)


@pytest.mark.parametrize(
    ("platform", "confirm_s", "counted", "seconds"),
    [
        ("ios", 90, 2, 120),
        ("ios", 121, 3, 180),
        ("ios", 99999, 120, 7200),
        ("routeros", 5, 10, 10),
        ("yunshan", 5, 60, 60),
    ],
)
def test_a_time_is_counted_as_the_platform_does(
    platform: str, confirm_s: int, counted: int, seconds: int
) -> None:
    back = dialect(platform).back
    assert back is not None
    assert (back.units(confirm_s), back.seconds(confirm_s)) == (counted, seconds)


@pytest.mark.parametrize(
    ("running", "has"),
    [
        ("archive\n path flash:siaga\n!\n", True),
        ("archive\r\n log config\r\n  logging enable\r\n path flash:siaga\r\n", True),
        ("archive\n log config\n  logging enable\n!\n", False),
        ("archive\n path tftp://10.0.0.5/siaga\n!\n", False),
        ("boot-start-marker\nip ssh path x\n", False),
    ],
)
def test_ios_goes_back_only_with_an_archive(running: str, has: bool) -> None:
    back = dialect("ios").back
    assert back is not None
    assert (back.missing(running) == "") is has


def test_a_difference_names_the_place_once_and_never_a_secret() -> None:
    template = "line vty 0 4\n %only transport input\n transport input ssh\n%always\nkey <secret:a>\n%end\n"
    assert shown(todo("ios", IOS, template)) == (
        "@@ line vty 0 4\n- transport input telnet ssh\n+ transport input ssh\n@@ global\n+ key ••••\n"
    )
    assert filled("key <secret:a>", {"a": "rahasia"}) == "key rahasia"
    assert masked("bad key rahasia", {"a": "rahasia"}) == "bad key ••••"


@pytest.mark.parametrize("template", ["%end\n", "%unless x => y\n", "%always\n%always\n%end\n"])
def test_a_template_that_does_not_close_is_an_error(template: str) -> None:
    with pytest.raises(ValueError, match="%"):
        blocks(dialect("ios").grammar.entries(template))


def test_every_dialect_can_be_read() -> None:
    assert names() == ["ios", "iosxe", "routeros", "ruijie", "vrp", "yunshan"]
    assert all(dialect(name).netmiko for name in names())
