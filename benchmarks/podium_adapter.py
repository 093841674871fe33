"""(d) This project: cli.py's own `tune` on a workload's task, which is no file of tasks/ and so in no user's list.

    python -m benchmarks.podium_adapter W1 tune W1 --configs FILE ...

The words after the workload are cli.py's command line. Only the look-up of a task by its name is replaced.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.workloads import CLASSES, MOMENTUM, SLOTS, Workload, find
from datasets.dataset import Counts
from datasets.input_config import InputConfig
from datasets.synthetic.generated_images import GeneratedPictures
from search_spaces.parameters import CategoricalParameter
from tasks import task as tasks_room
from tasks.food10 import TASK as FOOD10
from tasks.task import Arm, Task

SOURCE = "benchmarks/workloads.py"


def task_of(workload: Workload) -> Task:
    """Food-10's question on generated pictures, one arm, its space widened to what the workload lists."""
    return replace(
        FOOD10,
        name=workload.key,
        title=workload.title,
        source=SOURCE,
        dataset=dataset_of(workload),
        arms=(_arm(workload),),
        sample=None,
    )


def dataset_of(workload: Workload) -> GeneratedPictures:
    """Pictures no larger than what a model sees: a centre crop pads them and cuts nothing off."""
    counts = Counts(train=workload.train // CLASSES, val=workload.val // CLASSES, test=workload.val // CLASSES)
    side = workload.image_size
    return GeneratedPictures(
        name=f"benchmark-{side}px", title="generated pictures", classes=FOOD10.dataset.classes, counts=counts, side=side
    )


def _arm(workload: Workload) -> Arm:
    name = {"residual": "from_scratch", "fine_tuned": "fine_tuned"}[workload.model]
    [arm] = [arm for arm in FOOD10.arms if arm.name == name]
    space = arm.space
    if workload.model == "residual":
        space = space.with_parameter(CategoricalParameter(name="conv_blocks", values=(2, 3), source=SOURCE))
        space = space.with_parameter(CategoricalParameter(name="filter_width", values=(0.5, 1.0), source=SOURCE))
    view = InputConfig(image_size=workload.image_size, augmentation=workload.augmentation)
    return replace(arm, space=space, view=view, max_epochs=workload.epochs, note="")


def entries(workload: Workload, trials: int) -> list[dict[str, Any]]:
    """Return the content of the `--configs` file.

    Args:
        workload: The workload.
        trials: Number of configurations.
    """
    listed = []
    for config in workload.configurations(trials):
        entry = {"arm": _arm(workload).name, "schedule": "constant", "batch_size": workload.batch_size}
        entry |= {name: value for name, value in config.values().items() if name != "index"}
        if config.optimizer == "sgd":
            entry |= {"momentum": MOMENTUM, "nesterov": False}
        if workload.backbone is not None:
            entry["backbone"] = workload.backbone
        listed.append(entry)
    return listed


def command(workload: Workload, trials: int, weights: Path | None, scratch: Path) -> list[str]:
    """Return the command line of one run and write its configurations into `scratch`.

    Args:
        workload: The workload.
        trials: Number of configurations.
        weights: Backbone weights, if any.
        scratch: Folder of the run.
    """
    configs = scratch / "configs.json"
    configs.write_text(json.dumps(entries(workload, trials)))
    options: list[object] = ["--configs", configs, "--concurrent", SLOTS, "--confirm-seeds", 0, "--scheduler", "none"]
    options += ["--results", scratch / "results", "--data-dir", scratch / "data", "--name", "study"]
    options += ["--weights", weights] if weights is not None else []
    return ["-m", "benchmarks.podium_adapter", workload.key, "tune", workload.key, *map(str, options)]


def main(arguments: Sequence[str]) -> None:
    """Run cli.py's command line on the workload's task."""
    task = task_of(find(arguments[0]))
    tasks_room.load_task = lambda name: task  # before cli and reporting look it up
    import cli

    cli.cli(list(arguments[1:]), prog_name="cli.py")


if __name__ == "__main__":
    main(sys.argv[1:])
