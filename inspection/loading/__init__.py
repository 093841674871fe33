"""Loading of best models and stored test predictions."""
