"""The action `siaga.siaga.network_lines`: a network device gets the lines that stand in its host's variables.

This file is only the adapter to Ansible; what it does is in infra/giving_back.py.
"""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleConnectionFailure  # type: ignore[import-untyped]
from ansible.plugins.action import ActionBase  # type: ignore[import-untyped]

from ansible_collections.siaga.siaga.plugins.action.network_config import access
from infra.giving_back import LINES, SHOWN, configured
from infra.network_apply import opener
from infra.network_dialects import dialect
from infra.network_proof import NotConfiguredError
from infra.network_session import NotReachedError
from siaga.errors import SiagaError


class ActionModule(ActionBase):  # type: ignore[misc]
    """Types lines and logs in anew before they are saved."""

    _supports_check_mode = True
    _VALID_ARGS = frozenset({"platform", "confirm_s"})

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return changed and the scrubbed difference; a device without a login is unreachable."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        try:
            spoken = dialect(str(self._task.args.get("platform", "")))
            login = opener(access(self, variables), spoken, {}, quiet=True)
            known = {k: self._templar.template(variables.get(k, "")) for k in (LINES, SHOWN)}
            confirm_s = int(self._task.args.get("confirm_s", 0))
            done = configured(login, spoken, known, check=bool(self._task.check_mode), confirm_s=confirm_s)
        except NotReachedError as error:
            raise AnsibleConnectionFailure(str(error)) from None
        except SiagaError as error:
            return {**result, "failed": True, "msg": error.sentence}
        except NotConfiguredError as error:
            return {**result, "failed": True, "msg": str(error)}
        return {**result, "changed": done.changed, "diff": {"prepared": done.diff}}
