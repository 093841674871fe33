"""Benchmark of this project beside KerasTuner, Optuna and plain Ray Tune; no part of the application imports it."""
