"""The audit: which doors of managed devices stand open, and what the records themselves say is over or weak."""
