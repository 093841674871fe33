"""Stored test predictions beside a study's events, made so that each seed has the accuracy its events say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tests.study_fixtures import Event, example_events, write_study

IMAGES = 100  # the example's accuracies are whole hundredths


def answers(accuracy: float, seed: int, images: int = IMAGES) -> np.ndarray:
    """bool [images]: so many right, at places that the seed determines."""
    right = np.zeros(images, bool)
    right[: round(accuracy * images)] = True
    return np.random.default_rng(seed).permutation(right)


def store(study: Path, trial: str, correct: np.ndarray, names: Sequence[str] | None = None) -> None:
    """test_predictions.npz of a trial, of two classes: where `correct`, the label's has the higher probability."""
    labels = np.arange(len(correct)) % 2
    answered = np.where(correct, labels, 1 - labels)
    probabilities = np.where(np.arange(2) == answered[:, None], 0.7, 0.3).astype(np.float32)
    folder = study / "checkpoints" / trial
    folder.mkdir(parents=True, exist_ok=True)
    named = np.array(names or [f"image-{number}" for number in range(len(correct))])
    np.savez_compressed(folder / "test_predictions.npz", probabilities=probabilities, labels=labels, names=named)


def tested_accuracies(events: Sequence[Event]) -> Mapping[str, float]:
    return {event["trial"]: event["metrics"]["test_accuracy"] for event in events if event["event"] == "test_measured"}


def study_with_predictions(folder: Path, *, confirm_seeds: int = 3, sample: bool = False) -> Path:
    """The example study with the predictions of every confirmed seed."""
    events = example_events(confirm_seeds=confirm_seeds, sample=sample)
    study = write_study(folder, events)
    for number, (trial, accuracy) in enumerate(tested_accuracies(events).items()):
        store(study, trial, answers(accuracy, number))
    return study
