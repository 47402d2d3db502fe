"""Checks of services from outside, as their users meet them: HTTP(S), DNS, TCP, TLS and any Nagios plugin."""
