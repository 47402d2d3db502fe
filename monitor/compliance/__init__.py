"""Compliance: what the rules say of the configurations that the backup holds; unknown is not compliant."""
