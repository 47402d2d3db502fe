"""Ends Ansible when the process of its job is gone, which would else be changing hosts that nobody looks after."""

from __future__ import annotations

import ctypes
import os
import signal

from ansible.plugins.callback import CallbackBase  # type: ignore[import-untyped]

DOCUMENTATION = """
name: bound
type: aggregate
short_description: ends with its job
version_added: "0.1.0"
description:
  - Asks the kernel for a SIGTERM when the process dies that started Ansible, as by the kernel's want of memory.
author: [siaga]
"""

PR_SET_PDEATHSIG = 1  # linux/prctl.h
JOB = "SIAGA_JOB_PID"


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Hears of nothing: what it does is done when it is loaded, before the first task."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "siaga.siaga.bound"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        if job := os.environ.get(JOB):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
            if os.getppid() != int(job):  # it died before it was asked for
                os.kill(os.getpid(), signal.SIGTERM)
