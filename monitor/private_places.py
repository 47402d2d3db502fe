"""Where devices tell what is nobody else's business: tables about others, secrets, names that people gave.

What is not known to be harmless in the standards is not kept; the makers' branches are kept but for what is named here.
"""

from monitor.tables import oid

# What is kept of MIB-2: a table that is not here has no readings, but perhaps routes, sessions or owners' names.
KEPT = tuple(
    oid(f"1.3.6.1.2.1.{branch}")
    for branch in (
        *("1", "2", "4.1", "4.2", "4.20", "4.34", "10.7", "10.94", "16.19.2", "16.19.3", "17.1", "25.1.1"),
        *("25.1.2", "25.1.3", "25.1.5", "25.1.6", "25.1.7", "25.2", "25.3.1", "25.3.2", "25.3.3", "25.3.5"),
        *("25.3.9", "26", "31.1.1", "33", "43", "47", "99", "105", "131"),
    )
)
# Left out whole: what is in them is about others, or is secret.
DROPPED = tuple(
    map(
        oid,
        (
            "1.0.8802.1.1.2.1.3.8",  # LLDP, the addresses of management
            "1.0.8802.1.1.2.1.4",  # LLDP, the remote systems
            "1.0.8802.1.1.2.1.5",  # LLDP's extensions, remote systems among them
            "1.3.6.1.2.1.43.16",  # what stands on a printer's display
            "1.3.6.1.2.1.43.18",  # alerts of a printer
            "1.3.6.1.4.1.9.2.9",  # OLD-CISCO-TS-MIB: who is logged in
            "1.3.6.1.4.1.9.9.23.1.2",  # CDP cache
            "1.3.6.1.4.1.9.9.41.1.2",  # CISCO-SYSLOG-MIB: messages
            "1.3.6.1.4.1.9.9.42",  # CISCO-RTTMON-MIB: who is pinged
            "1.3.6.1.4.1.9.9.43",  # CISCO-CONFIG-MAN-MIB: who changed what, and from where
            "1.3.6.1.4.1.9.9.96",  # CISCO-CONFIG-COPY-MIB
            "1.3.6.1.4.1.9.9.171",  # CISCO-IPSEC-FLOW-MONITOR-MIB
            "1.3.6.1.4.1.9.9.599",  # CISCO-LWAPP-DOT11-CLIENT-MIB
            "1.3.6.1.4.1.9.10.56",  # AAA servers
            "1.3.6.1.4.1.11.2.3.9.1.1.13",  # JetDirect: the administrator's password
            "1.3.6.1.4.1.77",  # LAN manager: users, shares, sessions
            "1.3.6.1.4.1.318.2.1",  # APC: receivers of traps and their communities
            "1.3.6.1.4.1.1991.1.1.2.9",  # Foundry: users and the hashes of their passwords
            "1.3.6.1.4.1.2021.8",  # UCD extTable: commands and their output
            "1.3.6.1.4.1.2021.2",  # UCD prTable
            "1.3.6.1.4.1.2699",  # printers' jobs, their owners and documents
            "1.3.6.1.4.1.4115.1.20",  # Arris: users, passwords and keys of WLANs
            "1.3.6.1.4.1.4413.2.2.2",  # Broadcom's cable modems: keys of WLANs
            "1.3.6.1.4.1.6876.2",  # VMware: virtual machines
            "1.3.6.1.4.1.8072.1.3",  # NET-SNMP-EXTEND-MIB
            "1.3.6.1.4.1.14179.2.1.4",  # Airespace: mobile stations
            "1.3.6.1.4.1.14823.2.2.1.4.1.2",  # Aruba: users
            "1.3.6.1.4.1.14988.1.1.1.2",  # MikroTik: wireless registrations
            "1.3.6.1.4.1.14988.1.1.1.5",  # and those of CAPsMAN
            "1.3.6.1.4.1.14988.1.1.2",  # queues: customers' names and addresses
            "1.3.6.1.4.1.14988.1.1.5",  # users of hotspots
            "1.3.6.1.4.1.14988.1.1.8",  # scripts
            "1.3.6.1.4.1.14988.1.1.11",  # neighbours
            "1.3.6.1.4.1.25053.1.2.2.1.1.3",  # Ruckus: stations
            "1.3.6.1.4.1.41112.1.4.7",  # Ubiquiti: stations
        ),
    )
)
# Whatever stands here was written by a person about people, places or ports.
NAMES = tuple(
    map(
        oid,
        (
            "1.0.8802.1.1.2.1.3.3",  # lldpLocSysName
            "1.0.8802.1.1.2.1.3.7.1.4",  # lldpLocPortDesc
            "1.3.6.1.2.1.1.4",
            "1.3.6.1.2.1.1.5",
            "1.3.6.1.2.1.1.6",
            "1.3.6.1.2.1.31.1.1.1.18",
            "1.3.6.1.2.1.33.1.1.5",  # upsIdentName
            "1.3.6.1.2.1.33.1.1.6",  # upsIdentAttachedDevices
            "1.3.6.1.2.1.43.5.1.1.4",  # prtGeneralCurrentOperator
            "1.3.6.1.2.1.43.5.1.1.5",  # prtGeneralServicePerson
            "1.3.6.1.2.1.43.5.1.1.16",  # prtGeneralPrinterName
            "1.3.6.1.2.1.47.1.1.1.1.14",  # entPhysicalAlias
            "1.3.6.1.2.1.47.1.1.1.1.15",  # entPhysicalAssetID
            "1.3.6.1.2.1.105.1.1.1.9",  # pethPsePortType
            "1.3.6.1.4.1.9.9.46.1.3.1.1.4",  # vtpVlanName
            "1.3.6.1.4.1.14179.2.1.1.1.2",  # bsnDot11EssSsid
            "1.3.6.1.4.1.41112.1.4.5.1.2",  # ubntWlStatSsid
        ),
    )
)
# Words in which devices call their ports themselves; a port with another word in its name was named by a person.
WORDS_OF_PORTS = frozenset(
    b"adapter ae aggregate ap async ath atm bond br bridge bundle bvi cellular channel combo console controller "
    b"cpu cfm de dialer dsl e em en ens eno enp eth ether ethernet fa fast fastethernet fe fei fi forty fortygige "
    b"fxp ge gei gi gig gige gigabit gigabitethernet gpon gre hu hundredgige i if igb in inline int interface "
    b"internal intf ipsec irb ix ixgbe l lag lan link lo local loopback lpi lsi m macvlan management me meth mgmt "
    b"modem mtun multigige ng nic null nve onu out p pd pe pfe pflog pfsync pim pip pn po pon port ppp pppoe qsfp "
    b"qsfpplus ra radio rbeb s se serial sfp sfpplus sit slot sm software sp stack stackport sub subif switch sw t "
    b"tap te ten tengigabitethernet tengige trk trunk tu tun tunl tunnel twe twentyfivegige two u unit untrusted "
    b"usb v veth vif vip virtual vl vlan vlanif vme vmnet voice vpn vtnet wan wifi wlan wl wwan x xe xgei xge "
    b"xgigabitethernet xg".split()
)
