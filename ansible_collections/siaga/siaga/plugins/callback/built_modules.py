"""Lets Ansible find the modules that an earlier run has built, and leave its own (infra/built_modules.py)."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from ansible import constants  # type: ignore[import-untyped]
from ansible.plugins.callback import CallbackBase  # type: ignore[import-untyped]

DOCUMENTATION = """
name: built_modules
type: aggregate
short_description: keeps built modules between runs
version_added: "0.1.0"
description:
  - Puts the folder that the variable SIAGA_BUILT_MODULES of the environment names in the place where Ansible keeps the
    modules it has built. Without the variable it does nothing.
author: [siaga]
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Hears nothing: what it does is done before the first task."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "siaga.siaga.built_modules"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        if kept := os.environ.get("SIAGA_BUILT_MODULES"):
            # The name is ansible.executor.module_common's, as of ansible-core 2.19.
            with suppress(OSError):
                Path(constants.DEFAULT_LOCAL_TMP, "ansiballz_cache").symlink_to(kept)
