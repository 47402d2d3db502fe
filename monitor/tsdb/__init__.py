"""The time-series store: a head, hourly blocks, immutable day files, and tiers of 5 minutes and an hour."""
