"""Explanations of a network: Grad-CAM, layers, architecture."""
