"""The HTML report and the files derived from a study."""
