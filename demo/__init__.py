"""The demonstration: a simulated regency that answers as real devices do, and the story told with it.

Everything listens on 127.77.0.0/16 and needs no root. `world` runs it in a process of its own; `regency`
is what it consists of (facts of Kabupaten Tangerang with their sources, and invented network figures that
say so: ilustrasi); `agents` answers SNMP, `cli_devices` shows command lines, `hosts` are changed by Ansible.
"""
