"""Measurements of docs/performance.md: `python -m bench` runs them all and prints one table."""
