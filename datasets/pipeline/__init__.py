"""Batches of augmented images from a store."""
