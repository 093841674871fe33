"""Model families, one a file: each has a `build`."""
