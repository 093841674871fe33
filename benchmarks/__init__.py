"""This project beside KerasTuner, Optuna and plain Ray Tune on the same work. No part of the application imports it."""
