"""The action `siaga.siaga.network_config`: a network device's configuration holds what a template says.

It runs on this machine, logs in over SSH by itself, knows check mode and differences, and reads back what it
typed. This file is only the adapter to Ansible; what it does is in infra/network*.py.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleConnectionFailure  # type: ignore[import-untyped]
from ansible.plugins.action import ActionBase  # type: ignore[import-untyped]

from infra.network import masked, secrets_named
from infra.network_apply import configure, opener
from infra.network_dialects import dialect
from infra.network_proof import NotConfiguredError
from infra.network_secrets import PREFIX
from infra.network_session import Access, NotReachedError
from siaga.errors import SiagaError


class ActionModule(ActionBase):  # type: ignore[misc]
    """Compares, types, reads back."""

    _supports_check_mode = True
    _VALID_ARGS = frozenset({"platform", "template", "confirm_s"})

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return changed and the difference; a device without a login is unreachable."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        template = str(self._task.args.get("template", ""))
        try:
            spoken = dialect(str(self._task.args.get("platform", "")))
            secrets = {n: str(variables[PREFIX + n]) for n in secrets_named(template)}
            login = opener(access(self, variables), spoken, secrets)
            confirm_s = int(self._task.args.get("confirm_s", 0))
            check = bool(self._task.check_mode)
            done = configure(login, spoken, template, check=check, confirm_s=confirm_s)
        except NotReachedError as error:
            raise AnsibleConnectionFailure(str(error)) from None
        except SiagaError as error:
            return {**result, "failed": True, "msg": error.sentence}
        except KeyError as error:
            return {**result, "failed": True, "msg": f"No secret is given for {error.args[0]}."}
        except (NotConfiguredError, ValueError) as error:
            return {**result, "failed": True, "msg": masked(str(error), secrets)}
        return {**result, "changed": done.changed, "diff": {"prepared": done.diff}}


def access(action: Any, variables: dict[str, Any]) -> Access:
    """Return where an action's device is and how to log in, from the variables that every play has."""
    template = action._templar.template  # noqa: SLF001 - an action is written as part of its base
    said = {k: template(variables[k]) for k in _READ if k in variables}
    return Access(
        host=str(said.get("ansible_host", variables.get("inventory_hostname", ""))),
        port=int(said.get("ansible_port", 22)),
        user=str(said.get("ansible_user", "")),
        password=str(said.get("ansible_password", "")),
        key_file=str(said.get("ansible_ssh_private_key_file", "")),
        enable=str(said.get(f"{PREFIX}enable", "")),
        known_hosts=Path("~/.ssh/known_hosts"),
        accept_new=os.environ.get("ANSIBLE_PARAMIKO_HOST_KEY_AUTO_ADD", "False") == "True",
        timeout_s=float(os.environ.get("ANSIBLE_TIMEOUT", "20")),
    )


_READ = (
    "ansible_host",
    "ansible_port",
    "ansible_user",
    "ansible_password",
    "ansible_ssh_private_key_file",
    f"{PREFIX}enable",
)
