"""What `ansible-doc` says of the action of the same name; nothing of it runs on a device."""

DOCUMENTATION = r"""
module: network_config
short_description: A network device's configuration holds what a template says
description:
  - Reads the configuration over SSH, compares it with the template, types what is missing, reads back, logs in a
    second time, and only then saves. Whatever fails is taken back.
  - Knows check mode and shows the difference. Secrets are named in the template as C(<secret:NAME>) and are masked.
options:
  platform:
    description: siaga's name of the platform; infra/dialects has one file for each.
    type: str
    required: true
  template:
    description: Lines as the platform prints them, and C(%only), C(%gone), C(%unless) as infra/network.py says.
    type: str
    required: true
  confirm_s:
    description:
      - After so many seconds the device goes back by itself, unless a second login worked before. Where a platform
        has no such timer, siaga takes the change back over its first login, and the difference says so.
    type: int
    default: 0
author: [siaga]
"""

EXAMPLES = r"""
- name: Only these time servers
  siaga.siaga.network_config:
    platform: ios
    template: |
      %only ntp server
      ntp server 192.0.2.1
"""

RETURN = r""" # """
