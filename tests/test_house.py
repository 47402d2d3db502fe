"""What the linters cannot hold: the roof is imported by nobody, the pages match the commands, no secret or host."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("siaga", "inventory", "monitor", "infra", "report", "web", "demo", "migrations")
# One adapter module for each library that is not a model of ours (DESIGN 6). A folder stands for its modules.
ROOMS = {
    "pysnmp": ("monitor/snmp_pysnmp.py", "monitor/listen/traps.py"),
    "dns": ("monitor/probes/dns.py",),
    "h11": ("monitor/probes/http.py",),
    # One for each floor that speaks to command lines: the monitor reads, infra configures.
    "netmiko": ("monitor/ssh_session.py", "infra/network_session.py"),
    "ansible_runner": ("infra/jobs.py",),
    "typst": ("report/render.py",),
    "zstandard": ("monitor/tsdb/codec.py",),
    "pyarrow": ("monitor/tsdb/parquet.py",),
}


def modules() -> list[Path]:
    return [p for floor in FLOORS for p in sorted((ROOT / floor).rglob("*.py"))]


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def test_nobody_imports_the_roof() -> None:
    assert [p.name for p in modules() if "cli" in imported(p)] == []


@pytest.mark.parametrize("library", sorted(ROOMS))
def test_a_foreign_library_stays_in_its_room(library: str) -> None:
    users = {str(p.relative_to(ROOT)) for p in modules() if library in imported(p)}
    assert users
    assert users <= set(ROOMS[library])


def test_the_command_page_is_what_the_commands_say() -> None:
    code = (
        "import sys; sys.path[:0] = ['docs', '.']; import make_cli;"
        "sys.exit(make_cli.page() != make_cli.PAGE.read_text())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, "run 'make docs'" + done.stderr


def test_start_up_loads_nothing_heavy() -> None:
    code = (
        "import sys, cli; cli.build();"
        "print(*{'pydantic', 'sqlalchemy', 'sqlmodel', 'pysnmp', 'netmiko', 'ansible_runner', 'typst', 'lark',"
        " 'openpyxl', 'cryptography', 'yaml', 'numpy', 'pyarrow'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == ""


def test_the_locks_pin_by_hash_and_name_no_host() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        lines = (ROOT / name).read_text().splitlines()
        assert not [line for line in lines if "://" in line or "index-url" in line]
        pinned = [line for line in lines if "==" in line]
        assert len(pinned) > 30
        assert all(line.rstrip().endswith("\\") for line in pinned)


def test_no_module_runs_a_shell() -> None:
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                names = {k.arg: k.value for k in node.keywords}
                shell = names.get("shell")
                assert not (isinstance(shell, ast.Constant) and shell.value), path
                assert ast.unparse(node.func) not in ("os.system", "os.popen"), path
