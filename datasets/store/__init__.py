"""The image store, its splits and its statistics."""
