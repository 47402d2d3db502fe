"""Writes the inventory for other tools: tables, Ansible, Prometheus, templates. Reads rows, changes nothing."""
