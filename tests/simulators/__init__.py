"""Simulators that tests speak to over the real protocols."""
