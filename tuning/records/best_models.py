"""`winners/<arm>/`: the best tested model of an arm, what it is and how it scored."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from atomic_file import atomic_path
from tuning.records.study_paths import ModelPaths, StudyPaths
from tuning.records.study_record import StudyRecord


def config_list(record: StudyRecord, arm: str) -> list[dict[str, Any]]:
    """Return the arm's best search trial as a list for `tune --configs`.

    Args:
        record: The study's record.
        arm: Name of the arm.
    """
    return [
        {"arm": arm, **best.config, "epochs": best.max_epochs, "seed": best.seed} for best in record.best_trials(arm, 1)
    ]


def keep_best_model(study: Path, record: StudyRecord, arm: str) -> None:
    """Copy the tested model that is best on validation, never on test, into `winners/<arm>/`, whole or not at all.

    test_predictions.npz in it holds class probabilities [N, classes] and labels [N], or predicted_boxes and true_boxes
    [N, 4] and their overlaps [N], and names [N] of the test images.

    Args:
        study: Folder of the study.
        record: Its record.
        arm: Name of the arm.
    """
    best = record.best_of(trial for trial in record.confirmed(arm) if trial.test)
    if best is None:
        return
    header, paths = record.arm(arm), StudyPaths(study)
    description = {
        "task": record.task,
        "study": record.name,
        "arm": arm,
        "trial": best.trial,
        "learner": header.learner,
        "model": header.model,
        "configuration": best.config,
        "seed": best.seed,
        "epochs": best.best_epoch,
        "view": header.view,
        "target": record.header.target,
        "classes": record.header.data.classes,
    }
    metrics = {"validation": best.best_metrics, "test": best.test, "model": best.facts}
    target = paths.best_model(arm).folder
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(target) as partial:
        shutil.copytree(paths.checkpoint(best.trial).folder, partial)
        new = ModelPaths(partial)
        contents = {new.description: description, new.metrics: metrics, new.config_list: config_list(record, arm)}
        for path, content in contents.items():
            path.write_text(json.dumps(content, indent=2) + "\n")
