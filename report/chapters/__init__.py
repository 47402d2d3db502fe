"""The chapters of the report: each puts measures into figures, tables and sentences."""
