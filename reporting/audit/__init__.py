"""The audit of a study's results."""
