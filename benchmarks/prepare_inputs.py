"""Inputs of all systems, made before any clock runs: pixels, their statistics, one file of weights.

    python -m benchmarks.prepare_inputs W1 FOLDER

FOLDER then holds data/ (this project's image store), the same pixels as .npy for the peers, facts.json, and for a
workload with a backbone `backbone.weights.h5` or `backbone.keras`.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.podium_adapter import dataset_of
from benchmarks.workloads import Workload, find
from datasets.dataset import Split
from datasets.input_config import InputConfig
from datasets.pipeline.batches import SplitBatches
from datasets.store.image_store import ImageStore, prepare

CALIBRATION_IMAGES = 64
SEED = 20_261


def make(workload: Workload, folder: Path) -> None:
    """Write the inputs of a workload.

    Args:
        workload: The workload.
        folder: Target folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    store = ImageStore.open(prepare(dataset_of(workload), folder / "data"))
    splits: tuple[Split, ...] = ("train", "val")
    for split in splits:
        images = SplitBatches(store, split, InputConfig(image_size=workload.image_size))
        np.save(folder / f"{split}_images.npy", np.concatenate(list(images.batches(64))))
        np.save(folder / f"{split}_labels.npy", images.labels)
        sizes = np.stack([store.heights[images.indices], store.widths[images.indices]], axis=1)
        np.save(folder / f"{split}_sizes.npy", sizes.astype(np.int64))
    facts: dict[str, Any] = {"channel_mean": store.channel_mean, "channel_std": store.channel_std}
    facts["pixels"] = store.fingerprint
    if workload.backbone is not None:
        weights = _weights(workload, workload.backbone, folder)
        facts["weights"] = hashlib.sha256(weights.read_bytes()).hexdigest()
    (folder / "facts.json").write_text(json.dumps(facts, indent=2) + "\n")


def _weights(workload: Workload, name: str, folder: Path) -> Path:
    """Weights drawn from a seed: ImageNet's would need a network, and no system's time depends on their values."""
    import keras

    side = workload.image_size
    if not hasattr(keras.applications, name):
        from trainables.models.backbones import builder

        model = builder.build(builder.find(name), (side, side, 3), weights=None)  # its weights are in a package
        path = folder / "backbone.keras"
        model.save(path)
        return path
    keras.utils.set_random_seed(SEED)
    base = getattr(keras.applications, name)(include_top=False, weights=None, input_shape=(side, side, 3))
    images = np.load(folder / "train_images.npy")[:CALIBRATION_IMAGES].astype(np.float32)
    _calibrate(base, images / 127.5 - 1 if name == "NASNetMobile" else images)
    path = folder / "backbone.weights.h5"
    base.save_weights(path)
    return path


def _calibrate(model: Any, images: np.ndarray) -> None:
    """Set every batch normalization to the images' own statistics.

    With a fresh network's mean 0 and variance 1, a frozen prefix of hundreds of layers would blow numbers up.
    """
    import keras

    normalizations = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    before = [layer.momentum for layer in normalizations]
    for layer in normalizations:
        layer.momentum = 0.0
    model(images, training=True)
    for layer, momentum in zip(normalizations, before, strict=True):
        layer.momentum = momentum


if __name__ == "__main__":
    make(find(sys.argv[1]), Path(sys.argv[2]))
