"""Predictions for new images, and export."""
