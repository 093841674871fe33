"""Listeners to a study's events: progress, TensorBoard, Optuna storage."""
