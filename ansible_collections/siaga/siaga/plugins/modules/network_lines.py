#!/usr/bin/python
"""The module `siaga.siaga.network_lines` runs as an action on this machine; this file is its documentation."""

from __future__ import annotations

DOCUMENTATION = r"""
module: network_lines
short_description: Gives a network device an earlier configuration back
description:
  - Types the lines that `siaga plan restore-configuration` put into the host's variables, logs in anew, and saves.
    In check mode it shows the scrubbed difference and types nothing.
options:
  platform:
    description: The platform, as siaga calls it.
    type: str
    required: true
  confirm_s:
    description: After so many seconds a device that can goes back by itself, unless a second login worked before.
    type: int
    default: 0
author: [siaga]
"""

EXAMPLES = r"""
- name: Give the configuration back
  siaga.siaga.network_lines:
    platform: "{{ siaga_platform }}"
"""
