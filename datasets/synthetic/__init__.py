"""Generated images, for samples that need no download."""
