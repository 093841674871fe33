from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fixtures.trainables import SmallImages, assign
from trainables.learner import Infeasible, Learner
from trainables.learners import numpy_mlp
from trainables.phase_timer import PhaseTimer
from trainables.trial_spec import TrainingSpec

CONFIG = {"hidden_layers": "12-8", "learning_rate": 0.05, "batch_size": 8}
ROOT = Path(__file__).parents[3]


def network(seed: int = 1, **config: Any) -> TrainingSpec:
    return assign("numpy_network", {**CONFIG, **config}, seed=seed)


def trained(
    images: Any = None, epochs: int = 3, seed: int = 1, **config: Any
) -> tuple[Learner, list[dict[str, float]]]:
    learner: Learner = numpy_mlp.create()
    images = images or SmallImages()
    assert learner.start(network(seed, **config), images, images) == {}
    return learner, [learner.epoch(epoch) for epoch in range(epochs)]


def test_learns_and_predicts() -> None:
    images = SmallImages()
    learner, metrics = trained(images, epochs=8)
    assert metrics[-1]["loss"] < metrics[0]["loss"]
    assert metrics[0]["learning_rate"] == 0.05
    probabilities = learner.predict(images.batches(16))
    assert probabilities.shape == (40, 3)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert (probabilities.argmax(axis=1) == images.labels).mean() > 0.9


def test_what_an_epoch_reports_is_what_its_batches_were_before_their_steps() -> None:
    """With one batch of all images, the first epoch reports the network as it was drawn."""
    images: Any = SmallImages()
    learner = numpy_mlp.create()
    learner.start(network(batch_size=40), images, images)
    before = learner.validate()
    metrics = learner.epoch(0)
    assert metrics["loss"] == pytest.approx(-np.log(before[np.arange(40), images.labels]).mean(), rel=1e-4)
    assert metrics["accuracy"] == (before.argmax(axis=1) == images.labels).mean()


def test_reads_the_grey_of_each_pixel_standardised_over_the_training_images() -> None:
    images: Any = SmallImages(side=4)
    images.pixels[:, 0, 0] = 7  # a pixel that never varies, as in the corners of digits
    learner = numpy_mlp.create()
    learner.start(network(), images, images)
    seen = learner.standardize(images.pixels)
    assert seen.shape == (40, 16)
    np.testing.assert_allclose(seen.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(seen.std(axis=0), [0.0] + [1.0] * 15, rtol=1e-3)
    image = images.pixels[3].astype(np.float64)
    grey = images.pixels.mean(axis=3)
    expected = (image[2, 1].mean() - grey[:, 2, 1].mean()) / grey[:, 2, 1].std()
    assert seen[3, 4 * 2 + 1] == pytest.approx(expected, rel=1e-4)


def test_same_in_same_out_and_another_seed_another_network() -> None:
    first, a = trained()
    trained(hidden_layers="5")
    again, b = trained()
    other, c = trained(seed=2)
    batches = list(SmallImages().batches(8))
    assert a == b != c
    np.testing.assert_array_equal(first.predict(batches), again.predict(batches))
    assert not np.array_equal(first.predict(batches), other.predict(batches))


def test_validates_on_the_validation_images_and_books_its_seconds() -> None:
    watch = PhaseTimer()
    learner = numpy_mlp.create(watch=watch)
    val: Any = SmallImages(11, seed=5, split="val")
    train: Any = SmallImages()
    learner.start(network(), train, val)
    learner.epoch(0)
    np.testing.assert_allclose(learner.validate(), learner.predict(val.batches(4)), rtol=1e-5)
    assert set(watch.take()) == {"features", "train"}


def test_saved_and_loaded_predicts_the_same(tmp_path: Path) -> None:
    images: Any = SmallImages()
    learner, _ = trained(images)
    learner.save(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["model.npz"]
    other = numpy_mlp.create()
    other.load(tmp_path, network(), images)
    np.testing.assert_array_equal(learner.predict(images.batches(16)), other.predict(images.batches(16)))
    facts = other.export(tmp_path)
    assert facts.parameters == (256 * 12 + 12) + (12 * 8 + 8) + (8 * 3 + 3)  # images of 16 x 16
    assert facts.size_bytes == (tmp_path / "model.npz").stat().st_size


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"hidden_layers": "25-"}, "hidden_layers is '25-', but must be whole numbers above 0"),
        ({"hidden_layers": "0"}, "hidden_layers is '0'"),
        ({"learning_rate": 0.0}, "learning_rate is 0, but must be above 0"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"batch_size": 0}, "batch_size is 0"),
    ],
)
def test_impossible_configurations_are_infeasible(config: dict[str, Any], message: str) -> None:
    with pytest.raises(Infeasible, match=message):
        trained(**config)


def test_divergence_is_infeasible() -> None:
    with pytest.raises(Infeasible, match=r"epoch 1: .*learning_rate"):
        trained(learning_rate=1e30)


@pytest.mark.parametrize("damage", ["missing", "truncated", "incomplete", "layers"])
def test_a_damaged_file_is_one_line(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "model.npz"
    trained()[0].save(tmp_path)
    if damage == "missing":
        path.unlink()
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:-200])
    else:
        with np.load(path) as archive:
            arrays = dict(archive)
        del arrays["weights_1" if damage == "incomplete" else "weights_2"]
        np.savez(path, **arrays)
    images: Any = SmallImages()
    with pytest.raises(ValueError, match="is no saved NumPy network") as raised:
        numpy_mlp.create().load(tmp_path, network(), images)
    assert "\n" not in str(raised.value)


@pytest.mark.slow
def test_learners_without_a_framework_import_none() -> None:
    """This one not even scikit-learn; logistic regression on pixels nothing else."""
    code = (
        "import sys\n"
        "from tests.trainables.learners import test_numpy_mlp as ours\n"
        "ours.trained()\n"
        "print({'tensorflow', 'keras', 'ray', 'sklearn'} & set(sys.modules))\n"
        "from tests.trainables.learners import test_pixel_logistic as pixels\n"
        "pixels.trained()\n"
        "print({'tensorflow', 'keras', 'ray', 'sklearn'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["set()", "{'sklearn'}"]
