"""Furnishes a node: an overlay of this machine's root with the node's own files, people and packages."""

import hashlib
import uuid
from pathlib import Path

from tests.real.machine import ID, KEY, RUN, sh
from tests.real.nodes import COMMON, Node, target


def furnish(node: Node, password: str) -> None:
    """Mount the node's overlay and write its files through it."""
    room = RUN / node.name
    for part in ("up", "work", "root"):
        (room / part).mkdir(parents=True)
    layers = f"lowerdir=/,upperdir={room / 'up'},workdir={room / 'work'}"
    sh("mount", "-t", "overlay", f"{ID}-lab", "-o", layers, str(room / "root"))
    root = room / "root"
    files = {
        **COMMON,
        **node.files,
        "etc/machine-id": uuid.uuid4().hex + "\n",
        "etc/hostname": node.name + "\n",
        "etc/systemd/system/lab.target": target(node),
    }
    for name, text in files.items():
        put(root / name, text)
    (root / "etc/snmp/snmpd.conf").chmod(0o600)
    (root / "etc/sudoers.d/ops").chmod(0o440)
    for old in [*(root / "etc/ssh").glob("ssh_host_*"), *(root / "etc/openvswitch").glob("conf.db")]:
        old.unlink()
    sh(
        "ssh-keygen",
        "-q",
        "-t",
        "ed25519",
        "-N",
        "",
        "-C",
        node.name,
        "-f",
        f"{root}/etc/ssh/ssh_host_ed25519_key",
    )
    _people(root, node, password)
    if node.bare:
        _bare(root, node.bare)
    if node.shell.endswith("vtysh"):
        sh("chroot", str(root), "chown", "-R", "frr:frr", "/etc/frr")
        sh("chroot", str(root), "usermod", "-aG", "frrvty", "netops")


def put(path: Path, text: str) -> None:
    """Write a file of a node; a link there, which would lead out to this machine's own file, is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_text(text)


def _people(root: Path, node: Node, password: str) -> None:
    """Add `ops` (key and sudo, for Ansible) and `netops` (password, for reading)."""
    for user, shell in (("ops", "/bin/bash"), ("netops", node.shell)):
        sh("chroot", str(root), "useradd", "-m", "-s", shell, "-p", password, user)
    ssh = root / "home/ops/.ssh"
    ssh.mkdir(mode=0o700)
    (ssh / "authorized_keys").write_text(KEY.with_suffix(".pub").read_text())
    sh("chroot", str(root), "chown", "-R", "ops:ops", "/home/ops/.ssh")


def _bare(root: Path, packages: tuple[str, ...]) -> None:
    """Remove packages from a node and leave it the archive to install them from, as a new server has.

    dpkg-repack makes the archive of what this machine has installed, so that no network is needed.
    """
    archive = root / "srv/packages"
    archive.mkdir()
    sh("sh", "-c", f"cd {archive} && exec dpkg-repack {' '.join(packages)}")
    _only(root, archive)
    # In the chroot no service runs or can be stopped: dpkg is told so, whether this machine has such a ban or not.
    ban = root / "usr/sbin/policy-rc.d"
    put(ban, "#!/bin/sh\nexit 101\n")
    ban.chmod(0o755)
    sh("chroot", str(root), "dpkg", "--purge", *packages)
    sh("chroot", str(root), "apt-get", "-q", "update")
    ban.unlink()  # the server itself has none


def _only(root: Path, archive: Path) -> None:
    """Index an archive and make it all that the node installs from."""
    entries = [_entry(deb) for deb in sorted(archive.glob("*.deb"))]
    (archive / "Packages").write_text("\n".join(entries))
    for old in (root / "etc/apt/sources.list.d").glob("*"):
        old.unlink()
    put(root / "etc/apt/sources.list", "deb [trusted=yes] file:/srv/packages ./\n")


def _entry(deb: Path) -> str:
    """Return a package's paragraph of the index `Packages` (deb-src-less flat archive, sources.list(5))."""
    digest = hashlib.sha256(deb.read_bytes()).hexdigest()
    control = sh("dpkg-deb", "--field", str(deb)).rstrip()
    return f"{control}\nFilename: ./{deb.name}\nSize: {deb.stat().st_size}\nSHA256: {digest}\n"
