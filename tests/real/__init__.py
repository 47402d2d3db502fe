"""Tests against real daemons in network namespaces; docs/lab.md says how."""
