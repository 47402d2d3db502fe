"""Rules: what is wrong with what, and when. A rule is a TOML file of this folder, or of `rules/` in siaga's home."""
