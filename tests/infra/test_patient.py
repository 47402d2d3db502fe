"""The strategy that sleeps does what Ansible's linear one does: the same plays end alike, however few the forks."""

import os
import re
import subprocess
import sys
from pathlib import Path

from infra.jobs import STRATEGY

ROOT = Path(__file__).parents[2]
PLAY = """
- hosts: all
  gather_facts: false
  serial: [1, "100%"]
  tasks:
    - name: Short and long
      ansible.builtin.command: sleep {{ 0.3 if inventory_hostname == "h2" else 0 }}
      changed_when: true
      notify: Tell
    - name: One at a time
      ansible.builtin.command: /bin/true
      throttle: 1
    - name: Once
      ansible.builtin.debug: {msg: "{{ inventory_hostname }}"}
      run_once: true
    - name: More
      ansible.builtin.include_tasks: more.yml
    - name: Fail here
      ansible.builtin.fail: {msg: no}
      when: inventory_hostname == "h3"
    - name: Try
      block:
        - ansible.builtin.command: /bin/false
          when: inventory_hostname == "h1"
      rescue:
        - ansible.builtin.debug: {msg: rescued}
    - name: Die
      die:
      when: deadly is defined and inventory_hostname == "h4"
  handlers:
    - name: Tell
      ansible.builtin.debug: {msg: told}
"""
DIE = """
import os, signal
from ansible.plugins.action import ActionBase
class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        os.kill(os.getpid(), signal.SIGKILL)
"""


def played(folder: Path, strategy: str, *words: str) -> tuple[int, str]:
    """Return the exit code and the output of the play on six hosts with two forks."""
    (folder / "action_plugins").mkdir(exist_ok=True)
    (folder / "action_plugins" / "die.py").write_text(DIE)
    (folder / "play.yml").write_text(PLAY)
    (folder / "more.yml").write_text("- ansible.builtin.debug: {msg: '{{ item }}'}\n  loop: [1, 2]\n")
    (folder / "ansible.cfg").touch()
    (folder / "hosts").write_text("".join(f"h{n} ansible_connection=local\n" for n in range(1, 7)))
    environ = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT),
        "ANSIBLE_FORKS": "2",
        "ANSIBLE_STRATEGY": strategy,
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "ANSIBLE_FORCE_HANDLERS": "True",
        "ANSIBLE_DEPRECATION_WARNINGS": "False",
    }
    command = ["ansible-playbook", "-i", "hosts", "play.yml", *words]
    done = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout + done.stderr


def told(output: str) -> list[list[str]]:
    """Return what was said of each task, in the order of the tasks and without times; the order of hosts is chance."""
    tasks = re.split(r"\n(?=TASK|PLAY|RUNNING)", output)
    parts = [[line.partition("{")[0] for line in task.splitlines() if line] for task in tasks]
    return [sorted(" ".join(sorted(line.replace(",", " ").split())) for line in part) for part in parts]


def test_a_play_ends_as_with_linear(tmp_path: Path) -> None:
    code, output = played(tmp_path, "linear")
    assert "rescued" in output
    assert "told" in output
    own_code, own = played(tmp_path, STRATEGY)
    differ = [(a, b) for a, b in zip(told(output), told(own), strict=True) if a != b]
    assert (code, own_code, differ) == (2, 2, [])


def test_a_worker_that_is_killed_ends_the_run(tmp_path: Path) -> None:
    code, output = played(tmp_path, STRATEGY, "-e", "deadly=1")
    assert code not in (0, 2)
    assert "worker" in output
