"""Measures SNMP pollers beside each other on one machine: `python -m bench.snmp`."""
