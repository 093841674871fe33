"""Names of a study's files and folders, each spelled once."""

from __future__ import annotations

from pathlib import Path

EVENTS = "events.jsonl"


class ModelPaths:
    """Files of one model: of `checkpoints/<trial>/`, or of the best model's copy in `winners/<arm>/`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keras = folder / "model.keras"
        self.test_predictions = folder / "test_predictions.npz"
        # What the model is: arm, axes and constants, seed, view, class names in the order of its outputs.
        self.description = folder / "configuration.json"
        self.metrics = folder / "metrics.json"
        self.config_list = folder / "config.json"  # what `tune --configs` takes to train the model again


class StudyPaths:
    """Files of the study in `folder`. Everything but the events derives from them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events = folder / EVENTS
        self.header = folder / "study.json"
        self.trials = folder / "trials.csv"
        self.history = folder / "history.csv"
        self.optuna = folder / "optuna.db"
        self.tensorboard = folder / "tensorboard"
        self.report = folder / "report.html"

    def table(self, file_name: str) -> Path:
        return self.folder / "tables" / file_name

    def plot(self, name: str) -> Path:
        return self.folder / "plots" / f"{name}.png"

    def checkpoint(self, trial: str) -> ModelPaths:
        """Return the model of a trial's best epoch."""
        return ModelPaths(self.folder / "checkpoints" / trial)

    def best_model(self, arm: str) -> ModelPaths:
        """Return the arm's tested model that is best on validation."""
        return ModelPaths(self.folder / "winners" / arm)

    def states(self, trial: str) -> Path:
        """Return the folder of the trial's training states, a file for each kept epoch."""
        return self.folder / "states" / trial
