"""The simulated regency as one value: the rows that a workbook brings in, and the devices behind the rows.

The same seed gives the same regency. Secrets are no part of it: they are drawn for each demo.
"""

import secrets
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from demo import layout
from demo.draft import Draft, Row, Simulated
from demo.hosts import Host

FACTS = Path(__file__).parent / "data" / "regency.toml"
USER = "siaga"
SNMP_PORT, SSH_PORT = 1161, 2022
COLUMNS: Mapping[str, str] = {
    "place": "name kind code parent latitude longitude position_kind notes",
    "agency": "name title kind place notes",
    "provider": "name title notes",
    "contract": "name provider kind start end price_idr committed_down_bps committed_up_bps availability_pct"
    " latency_ms loss_pct claim_after_s notes",
    "device_type": "name maker model eos eol notes",
    "device": "name role status place agency device_type platform address snmp_port ssh_port transport credential"
    " ssh_credential serial parent tags notes var.siaga_root var.ansible_connection"
    " var.ansible_python_interpreter var.ansible_remote_tmp",
    "interface": "device name alias speed_bps notes",
    "link": "name kind a_interface z_interface contract role intra path_group notes",
    "connection": "name agency place link contract device interface committed_down_bps committed_up_bps notes",
    "service": "name title agency url device criticality notes",
}


@dataclass(frozen=True)
class Secrets:
    """Everything that lets somebody in, drawn anew for each demo; no repr shows it."""

    community: str = field(repr=False)
    auth: str = field(repr=False)
    priv: str = field(repr=False)
    ssh: str = field(repr=False)
    cli: str = field(repr=False)

    @classmethod
    def drawn(cls) -> "Secrets":
        """Draw new ones."""
        return cls(*(secrets.token_urlsafe(18) for _ in range(5)))


@dataclass(frozen=True)
class Credential:
    """A credential to store before the import; `secrets` by part: community, auth, priv, password."""

    name: str
    kind: str
    username: str = ""
    auth_protocol: str = ""
    priv_protocol: str = ""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Regency:
    """The whole: `sheets` by noun in the order of the import, `devices` by how they are reached."""

    sheets: Mapping[str, tuple[Row, ...]]
    agents: tuple[Simulated, ...]
    command_lines: tuple[Simulated, ...]
    hosts: tuple[Host, ...]
    credentials: tuple[Credential, ...]


@cache
def facts() -> Mapping[str, Any]:
    """Read data/regency.toml."""
    return tomllib.loads(FACTS.read_text("utf-8"))


def build(
    home: Path,
    seed: int,
    keys: Secrets,
    *,
    snmp_port: int = SNMP_PORT,
    ssh_port: int = SSH_PORT,
    year: int = 2026,
    day_s: float = 36_000.0,
) -> Regency:
    """Build the regency; `home` is where its Linux hosts keep their files.

    `year` is that of the contracts, `day_s` the second of the local day at which the simulation starts.
    """
    draft = Draft(facts(), seed, day_s)
    layout.places(draft)
    layout.types(draft)
    layout.contracts(draft, year)
    layout.core(draft)
    layout.agencies(draft)
    layout.services(draft)
    simulated = draft.simulated()
    hosts = tuple(
        Host(s.spec.name, s.address, home.resolve() / "hosts" / s.spec.name)
        for s in simulated
        if s.spec.name in layout.MANAGED
    )
    return Regency(
        _sheets(draft, hosts, {"snmp_port": snmp_port, "ssh_port": ssh_port}),
        tuple(s for s in simulated if s.credential != "demo-cli"),
        tuple(s for s in simulated if s.credential == "demo-cli"),
        hosts,
        credentials(keys),
    )


def _sheets(draft: Draft, hosts: tuple[Host, ...], ports: Mapping[str, int]) -> dict[str, tuple[Row, ...]]:
    sheets = {noun: tuple(draft.rows[noun]) for noun in COLUMNS}
    added = {host.name: _ansible(host) for host in hosts}
    sheets["device"] = tuple(
        {
            **row,
            **ports,
            **added.get(row["name"], {}),
            "tags": f"{row.get('tags') or ''} illustrative".strip(),
        }
        for row in sheets["device"]
    )
    return sheets


def _ansible(host: Host) -> dict[str, str]:
    """Return the variables that let Ansible work in the host's directory instead of the whole machine.

    The remote folder is named, because Ansible would look for the login's home as `~siaga`.
    """
    return {
        "var.siaga_root": str(host.root),
        "var.ansible_connection": "ansible.builtin.paramiko_ssh",
        "var.ansible_python_interpreter": sys.executable,
        "var.ansible_remote_tmp": str(host.root / "tmp" / "ansible"),
    }


def credentials(keys: Secrets) -> tuple[Credential, ...]:
    """Return the credentials that the device rows name."""
    v3 = {"auth": keys.auth, "priv": keys.priv}
    return (
        Credential("demo-v2c", "snmp-v2c", secrets={"community": keys.community}),
        Credential("demo-v3", "snmp-v3", USER, "SHA-256", "AES", v3),
        Credential("demo-ssh", "ssh-password", USER, secrets={"password": keys.ssh}),
        Credential("demo-cli", "ssh-password", USER, secrets={"password": keys.cli}),
    )


def workbook(path: Path, regency: Regency) -> None:
    """Write the rows as an XLSX workbook: one sheet for each noun, a row of column names, natural keys."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    for noun, columns in COLUMNS.items():
        sheet = book.create_sheet(noun)
        names = columns.split()
        sheet.append(names)
        for row in regency.sheets[noun]:
            sheet.append([row.get(name) for name in names])
    book.save(path)


def plain(keys: Secrets) -> dict[str, str]:
    """Return the secrets as a mapping, to hand them to the world's process."""
    return asdict(keys)
