"""NetBox becomes sheets: records of its REST API, or of its CSV files, mapped to our nouns. Pure but for api.py."""
