#!/usr/bin/python
"""The module `siaga.siaga.hardening`: looks at a host and changes nothing but its own report there."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hardening
short_description: Checks how a Linux host is hardened and keeps the report on it
description:
  - Asks what the CIS benchmarks ask of a server where it can be answered by reading. Writes one report; the module
    has changed something when the report has, so that the difference says what became better or worse.
options:
  report:
    description: The file of the report on the host.
    type: path
    required: true
  router:
    description: The host forwards between networks.
    type: bool
    default: false
author: [siaga]
"""

EXAMPLES = r"""
- name: Look
  siaga.siaga.hardening:
    report: /var/lib/siaga/hardening.txt
"""

RETURN = r"""
passed:
  description: How many checks passed.
  type: int
  returned: always
"""

import re
import stat
import subprocess
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

# A check's answer: True (pass), False (fail), None (does not apply here), and what was seen.
_SSHD = (
    ("root does not log in with a password", "permitrootlogin", r"no|prohibit-password|without-password"),
    ("passwords are no login", "passwordauthentication", r"no"),
    ("an empty password is no login", "permitemptypasswords", r"no"),
    ("no X11 is forwarded", "x11forwarding", r"no"),
    ("a login is tried 4 times at most", "maxauthtries", r"[1-4]"),
    ("a login must be done within a minute", "logingracetime", r"[1-9]|[1-5]\d|60"),
    ("a dead session ends", "clientaliveinterval", r"[1-9]\d*"),
    ("no user sets the environment", "permituserenvironment", r"no"),
    ("hosts do not vouch for users", "hostbasedauthentication", r"no"),
    ("no weak cipher", "ciphers", r"(?!.*(cbc|3des|arcfour)).*"),
    ("no weak MAC", "macs", r"(?!.*(md5|umac-64(?!-etm)|sha1-96)).*"),
    ("no weak key exchange", "kexalgorithms", r"(?!.*(group1-sha1|group14-sha1|group-exchange-sha1)).*"),
)
_KERNEL = (
    ("memory is laid out at random", "kernel/randomize_va_space", "2"),
    ("SYN cookies are on", "net/ipv4/tcp_syncookies", "1"),
    ("broadcast pings are ignored", "net/ipv4/icmp_echo_ignore_broadcasts", "1"),
    ("redirects are not believed", "net/ipv4/conf/all/accept_redirects", "0"),
    ("source routes are not taken", "net/ipv4/conf/all/accept_source_route", "0"),
    ("setuid programs dump no core", "fs/suid_dumpable", "0"),
    ("links in shared directories are guarded", "fs/protected_symlinks", "1"),
)
_FILES = (
    ("/etc/passwd", 0o644),
    ("/etc/group", 0o644),
    ("/etc/shadow", 0o640),
    ("/etc/gshadow", 0o640),
    ("/etc/ssh/sshd_config", 0o644),
    ("/etc/crontab", 0o644),
    ("/etc/sudoers", 0o440),
)
_OLD_PORTS = {
    "tcp": {21: "FTP", 23: "Telnet", 111: "portmapper", 512: "rexec", 513: "rlogin", 514: "rsh"},
    "udp": {69: "TFTP"},
}


def said(*command):
    """Return what a command prints, or nothing if there is none or it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def read(path):
    """Return a file's text, or nothing."""
    try:
        with Path(path).open(encoding="utf-8", errors="replace") as file:
            return file.read(2_000_000)
    except OSError:
        return ""


def sshd():
    """Yield the answers of sshd's own view of its configuration."""
    lines = said("/usr/sbin/sshd", "-T").splitlines()
    has = dict(line.split(" ", 1) for line in lines if " " in line)
    for title, key, right in _SSHD:
        value = has.get(key)
        yield (
            title,
            None if value is None else re.fullmatch(right, value) is not None,
            f"{key} {(value or '?')[:80]}",
        )


def kernel(router):
    """Yield the answers of the kernel's settings."""
    checks = _KERNEL if router else (*_KERNEL, ("nothing is forwarded", "net/ipv4/ip_forward", "0"))
    for title, key, right in checks:
        value = read("/proc/sys/" + key).strip()
        # Some kernels keep more than was asked: 2 is stricter than 1 for what counts up.
        yield (
            title,
            None if value == "" else value == right,
            f"{key.replace('/', '.')} = {value or '?'}",
        )


def files():
    """Yield the answers of the files that make accounts."""
    for path, most in _FILES:
        try:
            found = Path(path).stat()
        except OSError:
            yield f"{path} is guarded", None, "not there"
            continue
        mode = stat.S_IMODE(found.st_mode)
        yield (
            f"{path} is guarded",
            not mode & ~most and found.st_uid == 0,
            f"mode {mode:o}, owner {found.st_uid}",
        )
    loose = [
        p
        for d in ("/usr/local/bin", "/usr/local/sbin", "/etc/cron.d")
        for p in Path(d).glob("*")
        if _writable(p)
    ]
    yield (
        "nobody else may write programs that root runs",
        not loose,
        ", ".join(sorted(map(str, loose))[:3]) or "none",
    )


def _writable(path):
    try:
        return bool(path.lstat().st_mode & stat.S_IWOTH) and not path.is_symlink()
    except OSError:
        return False


def accounts():
    """Yield the answers of who there is."""
    shadow = [line.split(":") for line in read("/etc/shadow").splitlines() if ":" in line]
    empty = [f[0] for f in shadow if f[1] == ""]
    yield (
        "every account is closed or has a password",
        not empty if shadow else None,
        ", ".join(empty[:3]) or "none is open",
    )
    passwd = [line.split(":") for line in read("/etc/passwd").splitlines() if line.count(":") == 6]
    roots = [f[0] for f in passwd if f[2] == "0"]
    yield "there is one root", roots == ["root"], ", ".join(roots)
    numbers = [f[2] for f in passwd]
    yield "no number is two users'", len(set(numbers)) == len(numbers), f"{len(numbers)} users"
    old = [f[0] for f in shadow if f[1].startswith(("$1$", "$2")) or re.fullmatch(r"[A-Za-z0-9./]{13}", f[1])]
    yield "no password is kept by an old hash", not old if shadow else None, ", ".join(old[:3]) or "none"


def listening():
    """Yield the answers of what listens: /proc/net, state 0A is LISTEN, 07 is a bound UDP socket."""
    for protocol, state in (("tcp", "0A"), ("udp", "07")):
        ports = set()
        for name in (protocol, protocol + "6"):
            for line in read("/proc/net/" + name).splitlines()[1:]:
                words = line.split()
                if len(words) > 3 and words[3] == state:
                    ports.add(int(words[1].rsplit(":", 1)[1], 16))
        for port, title in sorted(_OLD_PORTS[protocol].items()):
            yield (
                f"no {title} is served",
                port not in ports,
                f"{protocol}/{port} {'listens' if port in ports else 'closed'}",
            )


def upkeep():
    """Yield the answers of what looks after the host."""
    clock = [
        s
        for s in ("chrony", "chronyd", "systemd-timesyncd", "ntp")
        if said("systemctl", "is-active", s).strip() == "active"
    ]
    yield "the clock is kept", bool(clock), ", ".join(clock) or "nothing keeps it"
    rules = said("/usr/sbin/nft", "list", "ruleset")
    yield (
        "what is not let in is kept out",
        bool(re.search(r"hook input .*policy drop", rules)),
        "nftables" if rules else "no rules",
    )
    periodic = said("apt-config", "dump", "APT::Periodic::Unattended-Upgrade")
    yield "security is mended by itself", '"1"' in periodic, periodic.strip()[:60] or "not set"
    away = said("grep", "-rlE", r"omfwd|^[^#]*@@?[A-Za-z0-9]", "/etc/rsyslog.conf", "/etc/rsyslog.d")
    yield "logs are sent away", bool(away), away.split("\n")[0] or "nowhere"
    snmp = read("/etc/snmp/snmpd.conf")
    community = re.search(r"(?m)^\s*(r[ow]community6?|com2sec6?)\s", snmp)
    yield (
        "SNMP asks who it is",
        not community if snmp else None,
        community.group(1) if community else "version 3 only",
    )
    if "sudo" in said("dpkg-query", "-W", "-f", "${Package}\n", "sudo"):
        yield (
            "sudo takes none of its files from others",
            not said("find", "/etc/sudoers.d", "-type", "f", "-perm", "/022"),
            "/etc/sudoers.d",
        )


def main():
    """Look, compare with the last report, keep the new one."""
    arguments = {"report": {"type": "path", "required": True}, "router": {"type": "bool", "default": False}}
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True)
    path = module.params["report"]
    answers = [*sshd(), *kernel(module.params["router"]), *files(), *accounts(), *listening(), *upkeep()]
    words = {True: "pass", False: "FAIL", None: "n/a "}
    text = "".join(f"{words[right]}  {title} ({seen})\n" for title, right, seen in answers)
    passed, asked = sum(r is True for _, r, _ in answers), sum(r is not None for _, r, _ in answers)
    text = f"# Hardening of this host: {passed} of {asked} checks pass.\n{text}"
    before = read(path)
    changed = before != text
    if changed and not module.check_mode:
        Path(path).parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        new = Path(path + ".new")
        new.write_text(text, encoding="utf-8")
        new.replace(path)
    failing = [title for title, right, _ in answers if right is False]
    module.exit_json(
        changed=changed,
        passed=passed,
        asked=asked,
        failing=failing,
        msg=f"{passed} of {asked} checks pass" + (". Not so: " + "; ".join(failing) if failing else ""),
        diff={"before": before, "after": text, "before_header": path, "after_header": path},
        ansible_facts={"siaga_hardening": f"{passed} of {asked}"},
    )


if __name__ == "__main__":
    main()
