"""The schema's history. It knows every floor's tables; no floor knows it."""
