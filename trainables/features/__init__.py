"""Frozen features: extraction, cache, batches."""
