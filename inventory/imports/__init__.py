"""Imports: every source becomes sheets of rows, and one function writes them all or none."""
