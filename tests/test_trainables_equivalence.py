"""A trial's numbers are the same bit for bit in a new process and in a worker that has served many, and the same
whether frozen layers are computed in every step or once.

One worker trains a network of every family one after the other; beside it a new process for each family.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.trainables_fixtures import SmallImages, assign

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).parents[1]
EPOCHS = 2


@dataclass(frozen=True)
class Case:
    """A network of one family, how much of it is frozen, and how it learns."""

    side: int
    fraction: float
    other_fraction: float
    config: dict[str, Any]


SGD = {"optimizer": "sgd", "momentum": 0.9, "nesterov": True, "learning_rate": 1e-2}
ADAMW = {"optimizer": "adamw", "weight_decay": 0.05, "learning_rate": 1e-3}
# Deep cuts, because tracing what learns takes the time; batch normalization learns above all of them, in the head.
CASES = {
    "VGG16": Case(32, 0.8, 1.0, SGD),
    "ResNet50": Case(32, 0.9, 1.0, ADAMW),
    "ResNet50V2": Case(32, 0.9, 1.0, SGD),
    "NASNetMobile": Case(32, 0.9, 1.0, ADAMW),
    "EfficientNetB0": Case(32, 0.8, 0.9, {**SGD, "learning_rate": 1e-3}),
    "EfficientNetLite0": Case(32, 0.8, 0.6, ADAMW),
    "InceptionV3": Case(75, 0.9, 1.0, SGD),
    "Xception": Case(71, 0.9, 1.0, ADAMW),
}


def trial(name: str, folder: Path, features: Path | None, *, other: bool = False) -> dict[str, Any]:
    """What a trial reports and ends with, as plain values.

    folder: where its weights are. other: another trial, of the same network.
    """
    from trainables import keras_learner

    case = CASES[name]
    points = tuple({"frozen_fraction": fraction} for fraction in (case.fraction, case.other_fraction))
    config = {"backbone": name, "batch_size": 8, "dropout": 0.2, "frozen_fraction": case.fraction, **case.config}
    if other:
        config |= {"frozen_fraction": case.other_fraction, "optimizer": "rmsprop", "dropout": 0.4}
    assignment = assign(
        "fine_tuned",
        config,
        seed=11 if other else 3,
        side=case.side,
        weights=None if name == "EfficientNetLite0" else folder / f"{name}.weights.h5",
        features=features,
        features_bytes=10**9,
        freeze_points=points,
        arm_epochs=1000,
    )
    learner = keras_learner.create()
    train: Any = SmallImages(16, case.side)
    val: Any = SmallImages(8, case.side, seed=5, split="val")
    said = learner.start(assignment, train, val)
    metrics, validated = [], []
    for epoch in range(EPOCHS):
        metrics.append(learner.epoch(epoch))
        validated.append(learner.validate().tolist())
    with tempfile.TemporaryDirectory(dir=folder) as kept:
        learner.save(Path(kept))
        saved = np.load(Path(kept) / keras_learner.CHECKPOINT)
        weights = hashlib.sha256(b"".join(saved[key].tobytes() for key in saved.files)).hexdigest()
    return {
        "metrics": metrics,
        "validated": validated,
        "weights": weights,
        "frozen_blocks": said["frozen_blocks"],
        "kept": said.get("features", {}).get("kept"),
        "entries": sorted(path.name for path in features.iterdir() if path.is_dir()) if features else [],
    }


def save_weights(name: str, folder: Path) -> None:
    """A file of random weights with the statistics that they bring about, without which all images look alike."""
    import keras

    from trainables.models import backbones

    if name == "EfficientNetLite0":
        return
    side = CASES[name].side
    keras.utils.set_random_seed(1)
    network = backbones.build(backbones.find(name), (side, side, 3), weights="random")
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    network(next(SmallImages(16, side).batches(16)), training=True)
    network.save_weights(folder / f"{name}.weights.h5")


def main(folder: Path, *names: str) -> None:
    """A worker's life. One name: a trial in a new process, its weights are there; several: all that is compared."""
    from trainables import devices

    devices.limit_cpu(1)
    if len(names) == 1:
        write(folder / f"cold-{names[0]}.json", trial(names[0], folder, folder / f"cold-{names[0]}"))
        return
    for name in names:
        save_weights(name, folder)
        (folder / f"{name}.saved").touch()
        features = folder / f"warm-{name}"
        numbers = {
            "first": trial(name, folder, features),
            "other": trial(name, folder, features, other=True),
            "again": trial(name, folder, features),
            "live": trial(name, folder, None),
        }
        write(folder / f"warm-{name}.json", numbers)


def write(path: Path, numbers: dict[str, Any]) -> None:
    partial = path.with_suffix(".new")
    partial.write_text(json.dumps(numbers))
    partial.rename(path)


def start(folder: Path, *names: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.test_trainables_equivalence", str(folder), *names]
    with (folder / f"log-{names[-1]}-{len(names)}").open("wb") as log:
        return subprocess.Popen(command, cwd=CHECKOUT, stdout=log, stderr=subprocess.STDOUT)


@dataclass(frozen=True)
class Worker:
    """The one that serves all families, and its folder."""

    process: subprocess.Popen[bytes]
    folder: Path

    def wait_for(self, name: str, timeout: float = 600) -> Path:
        path, deadline = self.folder / name, time.monotonic() + timeout
        while not path.exists() and time.monotonic() < deadline:
            assert self.process.poll() in (None, 0), next(self.folder.glob(f"log-*-{len(CASES)}")).read_text()[-3000:]
            time.sleep(0.1)
        return path


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    folder = tmp_path_factory.mktemp("equivalence")
    process = start(folder, *CASES)
    yield Worker(process, folder)
    process.kill()
    process.wait()
    shutil.rmtree(folder)  # half a gigabyte of weights


@pytest.fixture(scope="module", params=CASES)
def numbers(request: pytest.FixtureRequest, worker: Worker) -> dict[str, dict[str, Any]]:
    """Of one family: what the worker's trials gave, and what a new process gave."""
    name = request.param
    worker.wait_for(f"{name}.saved")
    cold = start(worker.folder, name)
    assert cold.wait(timeout=600) == 0, (worker.folder / f"log-{name}-1").read_text()[-3000:]
    found = json.loads(worker.wait_for(f"warm-{name}.json").read_text())
    found["cold"] = json.loads((worker.folder / f"cold-{name}.json").read_text())
    (worker.folder / f"{name}.weights.h5").unlink(missing_ok=True)
    return dict(found)


RESULT = ("metrics", "validated", "weights")  # of all variables, moving statistics and random states among them


def result(trial: dict[str, Any]) -> list[Any]:
    return [trial[name] for name in RESULT]


def test_a_new_process_and_one_that_served_other_networks_agree(numbers: dict[str, dict[str, Any]]) -> None:
    assert result(numbers["first"]) == result(numbers["cold"])


def test_another_trial_of_the_same_network_leaves_no_trace(numbers: dict[str, dict[str, Any]]) -> None:
    assert numbers["again"] == numbers["first"]
    assert numbers["other"]["frozen_blocks"] != numbers["first"]["frozen_blocks"]
    assert not any(one == other for one, other in zip(*map(result, (numbers["other"], numbers["first"])), strict=True))


def test_frozen_layers_computed_once_and_in_every_step_agree(numbers: dict[str, dict[str, Any]]) -> None:
    """Bit for bit, though batches have other sizes: true of one thread of a processor, which is what runs here."""
    assert (numbers["first"]["kept"], numbers["live"]["kept"]) == (True, None)
    assert result(numbers["live"]) == result(numbers["first"])


def test_features_are_found_again_by_every_process(numbers: dict[str, dict[str, Any]]) -> None:
    """Two cuts of two splits; their keys follow from nothing that one process has and another has not."""
    assert len(numbers["first"]["entries"]) == 4
    assert numbers["other"]["entries"] == numbers["first"]["entries"] == numbers["cold"]["entries"]


def test_something_was_learned(numbers: dict[str, dict[str, Any]]) -> None:
    """Else all of the above would compare nothing."""
    first, last = numbers["first"]["metrics"][0], numbers["first"]["metrics"][-1]
    assert last["loss"] < first["loss"]
    assert numbers["first"]["validated"][0] != numbers["first"]["validated"][-1]
    assert np.ptp(np.array(numbers["first"]["validated"]), axis=1).max() > 1e-3  # images are told apart


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
