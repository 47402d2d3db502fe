"""Every play that ships keeps the rules, and names and parameters cannot be more than that."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.playbooks import HOME, digest, playbook, playbooks, values
from infra.tree import files
from siaga.errors import InvalidError, NotFoundError

# Variables that hold secrets: infra.hosts and infra.usm make them.
SECRET = {"ansible_password", "ansible_become_password", "ansible_ssh_private_key_file"}
SECRET |= {"snmp_user_line", "snmp_user_pattern"}
PLAYS = {
    "baseline",
    "network-baseline",
    "agency-connection",
    "app-server",
    "command-center",
    "server-room",
    "harden",
}
FILES = sorted(p for p in HOME.rglob("*.yml") if "group_vars" not in p.parts)


def tasks(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every task of a file, also those within blocks and plays."""
    for item in node if isinstance(node, list) else []:
        if isinstance(item, dict):
            yield item
            for key in ("tasks", "pre_tasks", "post_tasks", "handlers", "block", "rescue", "always"):
                yield from tasks(item.get(key))


def every_task() -> list[tuple[str, dict[str, Any]]]:
    """Return every task of every play and role that ships, with its file."""
    return [(p.name, t) for p in FILES for t in tasks(yaml.safe_load(p.read_text()))]


def test_every_play_has_a_front_matter_and_every_front_matter_a_play() -> None:
    assert {p.stem for p in HOME.glob("*.yml")} == {p.stem for p in HOME.glob("*.toml")}
    assert {p.stem for p in HOME.glob("*.yml")} >= PLAYS
    for play in playbooks():
        assert play.title
        assert play.risk in ("low", "medium", "high")
        assert all(p.help for p in play.parameters)


def test_a_task_that_touches_a_secret_has_no_log() -> None:
    loose = {t["register"] for _, t in every_task() if t.get("no_log") is True and "register" in t}
    wanted = re.compile(r"\b(" + "|".join(map(re.escape, sorted(SECRET | loose))) + r")\b")
    touching = [
        t for _, t in every_task() if wanted.search(str({k: v for k, v in t.items() if k != "block"}))
    ]
    assert len(touching) >= 3, "the rule looks at something"
    assert [t["name"] for t in touching if t.get("no_log") is not True] == []
    templates = [p.name for p in HOME.rglob("*.j2") if wanted.search(p.read_text())]
    assert templates == [], "a template is shown as a difference"


def test_every_task_has_a_name_and_a_full_module_name() -> None:
    keywords = {"name", "when", "loop", "register", "notify", "listen", "no_log", "diff", "check_mode"}
    keywords |= {
        "changed_when",
        "failed_when",
        "hosts",
        "tasks",
        "vars",
        "loop_control",
        "retries",
        "delay",
        "until",
    }
    keywords |= {"delegate_to", "connection", "become"}
    for file, task in every_task():
        assert task.get("name"), file
        modules = [k for k in task if k not in keywords]
        assert "hosts" in task or all(m.startswith(("ansible.builtin.", "siaga.siaga.")) for m in modules), (
            file,
            modules,
        )


def test_every_written_path_begins_with_siaga_root() -> None:
    writers = ("file", "template", "lineinfile", "copy")
    for file, task in every_task():
        for writer in writers:
            if arguments := task.get(f"ansible.builtin.{writer}"):
                path = arguments.get("dest") or arguments.get("path")
                assert path.startswith("{{ siaga_root }}"), (file, path)


@pytest.mark.parametrize(
    "name", ["../baseline", "/etc/passwd", "baseline.yml", "", "a\0b", "Baseline", "roles/time"]
)
def test_a_name_is_never_a_path(name: str) -> None:
    with pytest.raises(NotFoundError, match="no-such-playbook"):
        playbook(name)


def test_what_lies_behind_a_link_belongs_to_the_play(tmp_path: Path) -> None:
    plays, shared = tmp_path / "plays", tmp_path / "shared/roles/time/tasks"
    plays.mkdir()
    shared.mkdir(parents=True)
    (shared / "main.yml").write_text("[]\n")
    (plays / "own.yml").write_text("- hosts: all\n  roles: [time]\n")
    (plays / "own.toml").write_text('title = "Own"\n')
    (plays / "roles").symlink_to(tmp_path / "shared/roles")
    (shared / "round").symlink_to(tmp_path / "shared")
    play = playbook("own", [plays])
    before = digest(play)
    (shared / "main.yml").write_text("- name: Another\n")
    assert digest(play) != before
    assert [str(p.relative_to(plays)) for p in files(plays)].count("roles/time/tasks/main.yml") == 1


def test_parameters_are_read_by_their_type() -> None:
    play = playbook("baseline")
    found = values(play, ["ntp_servers=ntp.bmkg.go.id, 192.0.2.1", "ssh_password_login=keep"])
    assert found["ntp_servers"] == ["ntp.bmkg.go.id", "192.0.2.1"]
    assert found["ssh_password_login"] == "keep"
    assert found["snmp_listen"] == ["udp:161", "udp6:161"]


def test_every_bad_parameter_is_listed_at_once() -> None:
    given = ["ntp_servers=a b", "ssh_password_login=maybe", "nonsense=1", "snmp_contact=x\nrwcommunity y"]
    with pytest.raises(InvalidError, match="bad-parameter") as caught:
        values(playbook("baseline"), given)
    assert [p.split(":")[0] for p in caught.value.problems if not p.startswith("'")] == [
        "ntp_servers",
        "ssh_password_login",
        "snmp_contact",
    ]
    assert len(caught.value.problems) == 4


def test_an_operators_own_play_wins(tmp_path: Path) -> None:
    (tmp_path / "baseline.toml").write_text('title = "Ours"')
    (tmp_path / "baseline.yml").write_text("[]")
    assert playbook("baseline", [tmp_path]).title == "Ours"
    (tmp_path / "baseline.toml").write_text("title = [")
    with pytest.raises(InvalidError, match="bad-playbook"):
        playbook("baseline", [tmp_path])
