"""`winners/<arm>/`: the model to use, and what it was and did."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from atomic_file import atomic_path
from tuning.records import StudyRecord


def listed(record: StudyRecord, arm: str) -> list[dict[str, Any]]:
    """For --configs: the arm's best trial of the search, which its confirmations repeat with other seeds."""
    best = record.best_trial(arm)
    return [] if best is None else [{"arm": arm, **best.config, "epochs": best.max_epochs, "seed": best.seed}]


def keep_winner(study: Path, record: StudyRecord, arm: str) -> None:
    """Copy the tested model that is best on validation, never on test, into winners/<arm>/, whole or not at all.

    configuration.json: the arm, its axes and constants, seed, image size, class names in the order of the outputs; or
        the target "box": then the outputs are x1, y1, x2, y2 in shares of the image's sides.
    metrics.json: validation metrics at the best epoch, test metrics, parameters, size, latency.
    config.json: what `tune --configs` takes to train it again.
    test_predictions.npz: class probabilities [N, classes] and labels [N], or predicted_boxes and true_boxes [N, 4] and
        their overlaps [N], and names [N] of the test images.
    """
    winner = record.best_of(trial for trial in record.confirmed(arm) if trial.test)
    if winner is None:
        return
    header = next(described for described in record.arms if described["name"] == arm)
    configuration = {
        "task": record.task,
        "study": record.name,
        "arm": arm,
        "trial": winner.trial,
        "learner": header["learner"],
        "model": header["model"],
        "configuration": winner.config,
        "seed": winner.seed,
        "epochs": winner.best_epoch,
        "view": header["view"],
        "target": record.header.get("target", "class"),
        "classes": record.header["data"]["classes"],
    }
    metrics = {"validation": winner.best_metrics, "test": winner.test, "model": winner.facts}
    target = study / "winners" / arm
    target.parent.mkdir(parents=True, exist_ok=True)
    contents = {"configuration.json": configuration, "metrics.json": metrics, "config.json": listed(record, arm)}
    with atomic_path(target) as partial:
        shutil.copytree(study / "checkpoints" / winner.trial, partial)
        for name, content in contents.items():
            (partial / name).write_text(json.dumps(content, indent=2) + "\n")
