"""The arithmetic of the report: pure functions from facts to numbers, without words."""
