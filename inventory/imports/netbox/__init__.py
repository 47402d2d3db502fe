"""NetBox becomes sheets: records of its REST API (api.py), or of its CSV files (exported.py), mapped to our nouns."""
