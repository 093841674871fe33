"""Layers, heads and graphs that families share."""
