"""The run of a study on Ray."""
