"""Who runs this: the user that the kernel knows, not what a variable of the environment says."""

import os
import pwd


def who() -> str:
    """Return the name of the real user id; root by way of sudo is 'root (sudo: budi)'.

    getpass.getuser() believes $LOGNAME, which anybody sets. $SUDO_USER is believed only of root, who could write
    anything anyway: it is kept because it tells who it was. Rights are of the name before the bracket.
    """
    number = os.getuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:  # a user that only a container knows
        name = f"uid {number}"
    by = os.environ.get("SUDO_USER", "") if number == 0 else ""
    return f"{name} (sudo: {by})" if by not in ("", name) and _known(by) else name


def account(name: str) -> str:
    """Return the user of the operating system in a name that `who` gave: that of the rights."""
    return name.partition(" (sudo: ")[0]


def _known(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
