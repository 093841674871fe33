"""Results of a study: per arm, per trial, against references."""
