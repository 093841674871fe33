"""Pre-trained backbones and their weights."""
