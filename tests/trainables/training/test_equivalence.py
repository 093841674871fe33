"""A trial's numbers are the same bit for bit whatever its process served before, and the same whether frozen layers are
computed in every step or once.

One worker trains a network of every family one after the other, another goes through them the other way round: the
last family of one is the first of the other, in a new process, and none has the same past in both. A new process for
each would take a minute more of importing.
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

from tests.fixtures.trainables import SmallImages, assign

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).parents[3]
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
    from trainables.learners import keras_network, network_learner

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
    learner = keras_network.create()
    train: Any = SmallImages(16, case.side)
    val: Any = SmallImages(8, case.side, seed=5, split="val")
    said = learner.start(assignment, train, val)
    metrics, validated = [], []
    for epoch in range(EPOCHS):
        metrics.append(learner.epoch(epoch))
        validated.append(learner.validate().tolist())
    with tempfile.TemporaryDirectory(dir=folder) as kept:
        learner.save(Path(kept))
        saved = np.load(Path(kept) / network_learner.VARIABLES_FILE)
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
    """A file of random weights with the statistics that they bring about, without which all images look alike.

    Each worker saves those that are not there yet; where both do, they save the same.
    """
    import keras

    from trainables.models.backbones import builder

    path = folder / f"{name}.weights.h5"
    if name == "EfficientNetLite0" or path.exists():
        return
    side = CASES[name].side
    keras.utils.set_random_seed(1)
    network = builder.build(builder.find(name), (side, side, 3), weights="random")
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    network(next(SmallImages(16, side).batches(16)), training=True)
    with tempfile.TemporaryDirectory(dir=folder) as partial:
        network.save_weights(Path(partial) / path.name)
        (Path(partial) / path.name).rename(path)


# Without batch normalization, and with it; all families in the nightly run.
DAILY = ("VGG16", "EfficientNetLite0")
PARAMETERS = [name if name in DAILY else pytest.param(name, marks=pytest.mark.nightly) for name in CASES]


def main(folder: Path, way: str, names: list[str]) -> None:
    """A worker's life. There: several trials of each family; back: one of each, from the last to the first."""
    from trainables import devices

    devices.limit_cpu(1)
    for name in names if way == "there" else reversed(names):
        save_weights(name, folder)
        features = folder / f"features-{name}-{way}"
        numbers = {"first": trial(name, folder, features)}
        if way == "there":
            numbers["other"] = trial(name, folder, features, other=True)
            numbers["again"] = trial(name, folder, features)
            numbers["live"] = trial(name, folder, None)
        partial = folder / f"{name}-{way}.new"
        partial.write_text(json.dumps(numbers))
        partial.rename(partial.with_suffix(".json"))


@dataclass(frozen=True)
class Worker:
    """One that serves all families, and its folder."""

    process: subprocess.Popen[bytes]
    folder: Path
    way: str

    @classmethod
    def start(cls, folder: Path, way: str, names: list[str]) -> Worker:
        command = [sys.executable, "-m", "tests.trainables.training.test_equivalence", str(folder), way, *names]
        with (folder / f"{way}.log").open("wb") as log:
            process = subprocess.Popen(command, cwd=CHECKOUT, stdout=log, stderr=subprocess.STDOUT)
        return cls(process, folder, way)

    def numbers(self, name: str, timeout: float = 900) -> dict[str, Any]:
        """What its trials of a family gave, once it has."""
        path, deadline = self.folder / f"{name}-{self.way}.json", time.monotonic() + timeout
        while not path.exists() and time.monotonic() < deadline:
            assert self.process.poll() in (None, 0), (self.folder / f"{self.way}.log").read_text()[-3000:]
            time.sleep(0.1)
        return dict(json.loads(path.read_text()))


@pytest.fixture(scope="module")
def workers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Worker]]:
    folder = tmp_path_factory.mktemp("equivalence")
    asked = {item.callspec.params.get("numbers") for item in request.session.items if hasattr(item, "callspec")}
    names = [name for name in CASES if name in asked]
    started = [Worker.start(folder, way, names) for way in ("there", "back")]
    yield started
    for worker in started:
        worker.process.kill()
        worker.process.wait()
    shutil.rmtree(folder)  # half a gigabyte of weights


@pytest.fixture(scope="module", params=PARAMETERS)
def numbers(request: pytest.FixtureRequest, workers: list[Worker]) -> dict[str, dict[str, Any]]:
    """Of one family: what one worker's trials gave, and under "elsewhere" what the other's gave."""
    there, back = workers
    return there.numbers(request.param) | {"elsewhere": back.numbers(request.param)["first"]}


RESULT = ("metrics", "validated", "weights")  # of all variables, moving statistics and random states among them


def result(trial: dict[str, Any]) -> list[Any]:
    return [trial[name] for name in RESULT]


def test_processes_that_served_other_networks_before_agree(numbers: dict[str, dict[str, Any]]) -> None:
    assert result(numbers["first"]) == result(numbers["elsewhere"])


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
    assert numbers["other"]["entries"] == numbers["first"]["entries"] == numbers["elsewhere"]["entries"]


def test_something_was_learned(numbers: dict[str, dict[str, Any]]) -> None:
    """Else all of the above would compare nothing."""
    first, last = numbers["first"]["metrics"][0], numbers["first"]["metrics"][-1]
    assert last["loss"] < first["loss"]
    assert numbers["first"]["validated"][0] != numbers["first"]["validated"][-1]
    assert np.ptp(np.array(numbers["first"]["validated"]), axis=1).max() > 1e-3  # images are told apart


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
