"""The units of systemd: the service, and timers for what must go on when it does not run. Text, and one check."""

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from siaga.errors import AuthError, InvalidError, TemporaryError
from siaga.settings import Settings
from siaga.text import safe
from siaga.whole_file import replace_file

_HARDENED = """NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths={home}
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
UMask=0027
"""
_SERVICE = """[Unit]
Description=siaga watches the network
After=network-online.target time-sync.target
Wants=network-online.target

[Service]
Type=notify
NotifyAccess=main
ExecStart={siaga} monitor run
ExecReload=/bin/kill -HUP $MAINPID
WatchdogSec=60
TimeoutStartSec=120
TimeoutStopSec=90
Restart=on-failure
RestartSec=5
LimitNOFILE=65536
{common}
[Install]
WantedBy={target}
"""
_ONESHOT = """[Unit]
Description={what}

[Service]
Type=oneshot
ExecStart={siaga} {command}
SuccessExitStatus={fine}
TimeoutStartSec={limit_s}
Nice=10
{common}"""
_TIMER = """[Unit]
Description={what}

[Timer]
OnCalendar={when}
RandomizedDelaySec={spread_s}
Persistent=yes

[Install]
WantedBy=timers.target
"""


def units(settings: Settings, *, user: bool, siaga: str = "") -> dict[str, str]:
    """Return file name → text of every unit. Raises InvalidError (`bad-path`) for a home no unit can name."""
    home = _quoted(str(settings.home.absolute()))
    own = siaga or _own_command()
    plain = _common(settings, home, user=user)
    rights = "" if user else _RIGHTS
    target = "default.target" if user else "multi-user.target"
    telling = "siaga tells what is due, should its service not run"
    packing = "siaga brings finished days of samples into files"
    once = _ONESHOT.format
    return {
        "siaga-monitor.service": _SERVICE.format(siaga=own, common=plain + rights, target=target),
        "siaga-notify.service": once(
            what=telling, siaga=own, command="notify run", fine="7 75", limit_s=300, common=plain
        ),
        "siaga-notify.timer": _TIMER.format(what=telling, when="minutely", spread_s=10),
        "siaga-compact.service": once(
            what=packing, siaga=own, command="samples compact --quiet", fine="75", limit_s=7200, common=plain
        ),
        "siaga-compact.timer": _TIMER.format(what=packing, when="*-*-* 02:30:00 UTC", spread_s=900),
    }


# Echoes need CAP_NET_RAW, the ports 162 and 514 CAP_NET_BIND_SERVICE; nothing else is left to any process of it.
_RIGHTS = """AmbientCapabilities=CAP_NET_RAW CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_RAW CAP_NET_BIND_SERVICE
"""


def _common(settings: Settings, home: str, *, user: bool) -> str:
    lines = [f"Environment=SIAGA_HOME={home}"]
    if config := os.environ.get("SIAGA_CONFIG"):
        lines.append(f"Environment=SIAGA_CONFIG={_quoted(str(Path(config).absolute()))}")
    if not user:
        lines.insert(0, f"User={_owner(settings.home)}")
    hardened = _HARDENED.format(home=home)
    if user:  # what the manager of a user may not do for him
        dropped = (
            "ProtectClock",
            "ProtectKernelLogs",
            "ProtectKernelModules",
            "ProtectHostname",
            "PrivateDevices",
        )
        hardened = "".join(f"{x}\n" for x in hardened.splitlines() if not x.startswith(dropped))
    return "\n".join(lines) + "\n" + hardened


def _owner(home: Path) -> str:
    try:
        return pwd.getpwuid(home.stat().st_uid).pw_name
    except (OSError, KeyError):
        return "siaga"


def _own_command() -> str:
    beside = Path(sys.executable).parent / "siaga"
    found = str(beside) if beside.exists() else shutil.which("siaga")
    return _quoted(found) if found else f"{_quoted(sys.executable)} -P -m cli"


def _quoted(path: str) -> str:
    """Return a path as a unit may hold it: % stands for itself only doubled; a blank would end it."""
    if not path.isprintable() or any(c in path for c in " \"'\\$"):
        raise InvalidError(
            "bad-path", f"'{safe(path, 200)}' cannot stand in a unit of systemd: use a plainer path."
        )
    return path.replace("%", "%%")


def where(*, user: bool) -> Path:
    """Return the folder in which systemd looks for units of the administrator, or of this account."""
    if not user:
        return Path("/etc/systemd/system")
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "systemd" / "user"


def written(folder: Path, made: Mapping[str, str]) -> None:
    """Write the units, each in one piece. Raises AuthError (`no-permission`), TemporaryError (`not-written`)."""
    try:
        for name, text in made.items():
            replace_file(folder / name, text, mode=0o644)
    except PermissionError:
        sentence = f"{folder} may not be written by you: run it as root, or with --user, or see --print."
        raise AuthError("no-permission", sentence) from None
    except OSError as error:
        raise TemporaryError("not-written", f"{folder} cannot be written: {error.strerror}.") from None


def checked(folder: Path, made: Mapping[str, str], *, user: bool) -> list[str]:
    """Return what systemd-analyze holds against the units; nothing where it is not there."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        return []
    paths = [str(folder / name) for name in made]
    command = [analyze, *(["--user"] if user else []), "--man=no", "verify", *paths]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    own = [line for line in done.stderr.splitlines() if any(name in line for name in made)]
    return [safe(line, 300) for line in own] if done.returncode else []
