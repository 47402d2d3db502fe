"""The configurations of devices: fetched whole, cleaned, kept in two forms, compared, searched and given back."""
