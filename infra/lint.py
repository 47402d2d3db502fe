"""`siaga playbook lint`: what is wrong with a play before anybody runs it. It reads; nothing is connected to."""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from infra.frontmatter import Parameter, Playbook, read_playbook, read_value, unknown_keys
from infra.jobs import complaint
from infra.playbooks import NAME, folders, playbook
from siaga.errors import InvalidError
from siaga.settings import Settings
from siaga.text import safe

VERBS = ("make", "list", "show", "approve", "reject")  # of `siaga plan`, which a play could not be called
SECRETS = ("ansible_password", "ansible_become_password", "snmp_user_line", "snmp_user_pattern")
_SECRET = re.compile(r"\b(" + "|".join(SECRETS) + r")\b")
_KEYWORDS = frozenset(
    re.findall(
        r"\w+",
        "action any_errors_fatal args async become become_exe become_flags become_method become_user block"
        " changed_when check_mode collections connection debugger delay delegate_facts delegate_to diff environment"
        " failed_when ignore_errors ignore_unreachable listen local_action loop loop_control module_defaults name"
        " no_log notify poll port register remote_user rescue always retries run_once tags throttle timeout until"
        " vars when",
    )
)
_READING = ("import_playbook", "import_tasks", "include_tasks", "include_vars", "vars_files", "script")
_SENDING = ("assemble", "copy", "template", "unarchive")
_TASKS = ("tasks", "pre_tasks", "post_tasks", "handlers", "block", "rescue", "always")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong. `severity`: error, or warning for what may be meant so."""

    playbook: str
    severity: str
    where: str
    problem: str


def linted(settings: Settings, names: Sequence[str]) -> list[Problem]:
    """Return what is wrong with the named plays, or with all; raises NotFoundError (`no-such-playbook`)."""
    for name in names:
        if not any((folder / f"{name}.toml").is_file() for folder in folders(settings.playbooks)):
            playbook(name, settings.playbooks)
    fronts = {
        p.stem: p for folder in reversed(folders(settings.playbooks)) for p in sorted(folder.glob("*.toml"))
    }
    chosen = [fronts[n] for n in sorted(fronts) if not names or n in names]
    return [problem for path in chosen for problem in _one(path)]


def _one(path: Path) -> Iterator[Problem]:
    name = path.stem
    try:
        play = read_playbook(path)
    except InvalidError as error:
        yield Problem(name, "error", path.name, error.sentence)
        return
    yield from (Problem(name, *found) for found in _front(play, path))
    if play.path.is_file():
        yield from (Problem(name, *found) for found in _syntax(play))
        yield from (Problem(name, *found) for found in _yaml(play))


Found = tuple[str, str, str]


def _front(play: Playbook, path: Path) -> Iterator[Found]:
    """Yield what is wrong in the front-matter, and of the files beside it."""
    where = path.name
    if not NAME.fullmatch(play.name) or play.name in VERBS:
        yield (
            "error",
            where,
            "a play cannot be called so: small letters, digits, - and _, and no verb of 'siaga plan'",
        )
    if not play.path.is_file():
        yield "error", where, f"there is no {play.path.name} beside it"
    if play.rollback == "play" and not play.rollback_path.is_file():
        yield "error", where, f"its rollback is 'play', but there is no {play.rollback_path.name}"
    for key in unknown_keys(path):
        yield "error", where, f"the key {safe(key, 80)} means nothing"
    if not play.description:
        yield "warning", where, "it has no description"
    for parameter in play.parameters:
        yield from (
            (kind, where, f"parameter {parameter.name}: {said}") for kind, said in _parameter(parameter)
        )


def _parameter(one: Parameter) -> Iterator[tuple[str, str]]:
    if not one.help:
        yield "warning", "it has no help"
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", one.name):
        yield "error", "its name cannot be that of a variable"
    text = ",".join(map(str, one.default)) if isinstance(one.default, list) else str(one.default)
    if one.required or not text:
        return
    try:
        read = read_value(one, text)
    except ValueError as error:
        yield "error", f"its default: {error}"
        return
    if one.type != "credential" and type(read) is not type(one.default):
        yield "error", f"its default is no {one.type}"


def _syntax(play: Playbook) -> Iterator[Found]:
    """Yield what Ansible itself says of the play's syntax."""
    with TemporaryDirectory(prefix="siaga-lint-") as name:
        home = Path(name)
        (home / "ansible.cfg").touch(mode=0o600)
        for path in (play.path, *([play.rollback_path] if play.rollback_path.is_file() else [])):
            yield from _read_by_ansible(play, path, home)


def _read_by_ansible(play: Playbook, path: Path, home: Path) -> Iterator[Found]:
    command = [sys.executable, "-P", "-m", "ansible.cli.playbook", "--syntax-check", "-i", "localhost,"]
    environment = {
        "HOME": str(home),
        "PATH": str(Path(sys.executable).parent),
        "LANG": "C.UTF-8",
        "ANSIBLE_NOCOLOR": "True",
        "ANSIBLE_ROLES_PATH": f"{play.folder}/roles",
        "ANSIBLE_CONFIG": str(home / "ansible.cfg"),
        "ANSIBLE_DEPRECATION_WARNINGS": "False",
        "ANSIBLE_LOCALHOST_WARNING": "False",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "False",
    }
    try:
        done = subprocess.run(
            [*command, str(path)], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
    except subprocess.TimeoutExpired:
        yield "error", path.name, "Ansible did not come to an end reading it"
        return
    if done.returncode:
        said = complaint(done.stderr + done.stdout)
        line = f", line {said['line']}" if "line" in said else ""
        yield "error", f"{Path(said.get('path', path)).name}{line}", said["error"]


def _yaml(play: Playbook) -> Iterator[Found]:
    """Yield what siaga itself asks of tasks: names, full module names, no_log, the parameters in use."""
    files = _files(play)
    texts = {p: p.read_text(encoding="utf-8", errors="replace") for p in files}
    for path, text in texts.items():
        if path.suffix in (".yml", ".yaml"):
            yield from _tasks_of(path, text)
    everything = "\n".join(texts.values())
    for parameter in play.parameters:
        used = re.search(rf"\b{re.escape(parameter.name)}\b", everything)
        if not used and parameter.type != "credential":
            yield "warning", play.path.name, f"nothing uses the parameter {parameter.name}"


def _files(play: Playbook) -> list[Path]:
    """Return the play and the files of the roles it names, or of all where that cannot be told."""
    text = play.path.read_text(encoding="utf-8", errors="replace")
    roles = [
        p for p in sorted((play.folder / "roles").glob("*")) if re.search(rf"\b{re.escape(p.name)}\b", text)
    ]
    found = [
        p for role in roles for p in sorted(role.rglob("*")) if p.is_file() and p.stat().st_size < 1 << 20
    ]
    own = [play.path, *([play.rollback_path] if play.rollback_path.is_file() else [])]
    return own + [p for p in found if p.suffix in (".yml", ".yaml", ".j2")]


def _tasks_of(path: Path, text: str) -> Iterator[Found]:
    import yaml

    try:
        read = yaml.safe_load(text)
    except yaml.YAMLError:
        return  # Ansible has said where
    for task in _tasks(read):
        for outside in _outside(task):
            said = f"{safe(outside, 120)} is not in the play's folder: no plan notices when it changes"
            yield "warning", path.name, said
        if not set(task) & {"hosts", "import_playbook"}:
            yield from (("error", path.name, said) for said in _task(task))


def _tasks(node: Any) -> Iterator[Mapping[str, Any]]:
    for item in node if isinstance(node, list) else []:
        if isinstance(item, Mapping):
            yield item
            for key in _TASKS:
                yield from _tasks(item.get(key))


def _outside(item: Mapping[str, Any]) -> Iterator[str]:
    """Yield the files of this machine that a play or task names by absolute paths."""
    for key, value in item.items():
        module = str(key).rpartition(".")[2]
        given = value if isinstance(value, Mapping) else {}
        if module in _READING:
            found = [given.get("file"), *(value if isinstance(value, list) else [value])]
        elif module in _SENDING and str(given.get("remote_src", False)).lower() not in ("true", "yes"):
            found = [given.get("src")]
        else:
            continue
        yield from (one for one in found if isinstance(one, str) and one.startswith("/"))


def _task(task: Mapping[str, Any]) -> Iterator[str]:
    name = safe(task.get("name") or "", 80)
    if not name and "block" not in task:
        yield f"a task has no name: {safe(', '.join(map(str, task)), 80)}"
    modules = [k for k in task if k not in _KEYWORDS and not str(k).startswith("with_")]
    for module in modules if "block" not in task else []:
        if not re.fullmatch(r"\w+\.\w+(\.\w+)+", str(module)):
            yield f"'{name}': '{safe(module, 60)}' is no full name of a module, such as ansible.builtin.copy"
    if task.get("no_log") is not True and _touches_secret(task):
        yield f"'{name}' touches a secret and has no no_log"


def _touches_secret(task: Mapping[str, Any]) -> bool:
    return bool(_SECRET.search(str({k: v for k, v in task.items() if k not in _TASKS})))
