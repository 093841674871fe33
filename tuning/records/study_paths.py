"""Names of a study's files and folders, each spelled once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

EVENTS = "events.jsonl"


@dataclass(frozen=True)
class ModelPaths:
    """Files of one model: of `checkpoints/<trial>/`, or of the best model's copy in `winners/<arm>/`."""

    folder: Path

    @property
    def keras(self) -> Path:
        return self.folder / "model.keras"

    @property
    def test_predictions(self) -> Path:
        return self.folder / "test_predictions.npz"

    @property
    def description(self) -> Path:
        """What the model is: arm, axes and constants, seed, view, class names in the order of its outputs."""
        return self.folder / "configuration.json"

    @property
    def metrics(self) -> Path:
        return self.folder / "metrics.json"

    @property
    def config_list(self) -> Path:
        """What `tune --configs` takes to train the model again."""
        return self.folder / "config.json"


@dataclass(frozen=True)
class StudyPaths:
    """Files of the study in `folder`. Everything but the events derives from them."""

    folder: Path

    @property
    def events(self) -> Path:
        return self.folder / EVENTS

    @property
    def header(self) -> Path:
        return self.folder / "study.json"

    @property
    def trials(self) -> Path:
        return self.folder / "trials.csv"

    @property
    def history(self) -> Path:
        return self.folder / "history.csv"

    @property
    def optuna(self) -> Path:
        return self.folder / "optuna.db"

    @property
    def tensorboard(self) -> Path:
        return self.folder / "tensorboard"

    @property
    def report(self) -> Path:
        return self.folder / "report.html"

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
