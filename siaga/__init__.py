"""The cellar: errors, settings, outcomes, secrets, clock and text safety, known by every floor."""
