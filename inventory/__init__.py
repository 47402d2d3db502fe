"""The ground floor: what should be. It knows no other floor."""
