"""Lets the workers that Ansible forks for each task and host find and share what else each would make for itself."""

from __future__ import annotations

import gc
from contextlib import suppress
from typing import Any

from ansible.module_utils.common import json  # type: ignore[import-untyped]
from ansible.plugins import loader  # type: ignore[import-untyped]
from ansible.plugins.callback import CallbackBase  # type: ignore[import-untyped]
from ansible.template import Templar, trust_as_template  # type: ignore[import-untyped]

DOCUMENTATION = """
name: frozen
type: aggregate
short_description: forks cheaply
version_added: "0.1.0"
description:
  - Loads before the first fork what nearly every worker needs, each of which would load it anew.
  - Puts all that is there when a play begins out of sight of Python's garbage collector, which would write to it in
    every worker, so that the kernel had to copy it there.
author: [siaga]
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Hears of plays that begin, and of nothing else."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "siaga.siaga.frozen"
    CALLBACK_NEEDS_ENABLED = True

    def v2_playbook_on_play_start(self, _play: Any) -> None:
        """Load, collect what is garbage already, and freeze the rest (as the gc module's documentation advises)."""
        with suppress(Exception):  # what a release has no more is loaded by the workers again
            load()
        gc.collect()
        gc.freeze()


def load() -> None:
    """Load the plugins of a task over SSH, the two ways of JSON to and from modules, and the patterns of templates."""
    for plugins, name in (
        (loader.action_loader, "normal"),
        (loader.connection_loader, "ssh"),
        (loader.shell_loader, "sh"),
    ):
        plugins.get(f"ansible.legacy.{name}", class_only=True)
    for direction in json.Direction:
        json.get_module_encoder("legacy", direction)
        json.get_module_decoder("legacy", direction)
    Templar().template(trust_as_template("{{ 1 + 1 }}"))
