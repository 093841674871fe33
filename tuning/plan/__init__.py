"""The plan of a study, made and checked before anything runs."""
