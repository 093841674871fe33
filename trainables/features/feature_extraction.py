"""Features of every image of a store as an HDF5 file for other programs (deep-learning report)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from atomic_file import atomic_path, remove_partials
from datasets.dataset import SPLITS, DataError, Progress
from datasets.images.resize import resize_to_square
from datasets.input_config import InputConfig
from datasets.store.image_store import ImageStore
from errors import arg
from trainables.models.backbones.registry import Backbone
from trainables.trial_spec import TrainingSpec

FORMAT = 1  # raise it whenever a reader of the file would have to know
TEST_NOTE = (
    "rows with split 'test' are images nobody should choose by: no model has answered for them, so that no opening of "
    "the test split is entered anywhere"
)


@dataclass(frozen=True, kw_only=True)
class Extraction:
    """Settings of an extraction: backbone, pooling, and preprocessing of images."""

    backbone: Backbone
    pooling: str  # "flatten" or "average", see models/families/linear_probe.py
    view: InputConfig  # its image size and fit
    weights: Path | None  # a file in place of the published ImageNet weights


def extract(store: ImageStore, what: Extraction, target: Path, progress: Progress) -> tuple[int, int]:
    """Write the features file, whole or not at all; at most one batch is in memory.

    In the order of the store: `features` float32 [N, D], contiguous, so that it can be mapped; `labels` int64 [N],
    positions in `class_names`; `split` and `names`, text [N]. Attributes record the origin of the features.

    Args:
        store: The images.
        what: The settings.
        target: The HDF5 file.
        progress: Reports progress.

    Returns:
        Number of images and of features of each.

    Raises:
        Fatal: Weights are missing.
        Infeasible: The image is too small.
        DataError: The file cannot be written.
    """
    predict, features, identity = _backbone(store, what)
    remove_partials(target)  # before the free space is counted
    _check_space(target.parent, len(store) * features * 4)
    try:
        with atomic_path(target) as partial, h5py.File(partial, "w") as file:
            rows = file.create_dataset("features", (len(store), features), np.float32)
            done = 0
            for start in range(0, len(store), identity["batch"]):
                indices = range(start, min(start + identity["batch"], len(store)))
                images = np.stack(
                    [resize_to_square(store.image(index), what.view.image_size, what.view.fit) for index in indices]
                )
                rows[start : start + len(images)] = predict(images)
                done += len(images)
                progress("features", done, len(store))
            file["labels"] = store.labels
            for name, texts in (
                ("split", [SPLITS[place] for place in store.splits.tolist()]),
                ("names", list(store.names)),
                ("class_names", list(store.classes)),
            ):
                file.create_dataset(name, data=texts, dtype=h5py.string_dtype())
            file.attrs.update({**identity, "note": TEST_NOTE})
    except OSError as error:
        raise DataError(
            f"{target} cannot be written ({error.strerror or ' '.join(str(error).split())[:120]})",
            remedy=f"choose another {arg.out}",
        ) from None
    return len(store), features


def _backbone(store: ImageStore, what: Extraction) -> tuple[Callable[[np.ndarray], np.ndarray], int, dict[str, Any]]:
    """Return the function from images uint8 [B, S, S, 3] to features float32 [B, D], D, and facts."""
    from trainables.learner import value_errors_are_infeasible
    from trainables.training.model_cache import MODEL_CACHE, PREFIX_BATCH
    from trainables.training.train_step import configure_tensorflow, raise_oom_as_infeasible

    configure_tensorflow()
    spec = TrainingSpec(
        model="backbone_features",
        config={"backbone": what.backbone.name, "pooling": what.pooling},
        seed=0,
        max_epochs=1,
        num_classes=max(2, len(store.classes)),
        view=what.view,
        weights=what.weights,
    )
    statistics = {"channel_mean": store.channel_mean, "channel_std": store.channel_std}
    with value_errors_are_infeasible():
        warm = MODEL_CACHE.get(spec, statistics)
    cut = len(warm.network.blocks)
    prefix = warm.prefix([cut])
    facts = {
        "format": FORMAT,
        "backbone": what.backbone.name,
        "weights": str(what.weights) if what.weights else "ImageNet",
        "weights_and_layers_sha256": str(warm.prefix_identity(cut)),
        "pooling": what.pooling,
        "image_size": what.view.image_size,
        "fit": what.view.fit,
        "preprocessing": what.backbone.preprocessing,
        "data": store.title,
        "data_fingerprint": store.fingerprint,
        "batch": PREFIX_BATCH,
    }

    def predict(images: np.ndarray) -> np.ndarray:
        with raise_oom_as_infeasible(
            f"{what.backbone.name} at {what.view.image_size} px", f"take a smaller {arg.image_size}"
        ):
            return prefix(images)[0]

    return predict, int(warm.boundary_tensors(cut)[0].shape[-1]), facts


def _check_space(folder: Path, needed: int) -> None:
    """Before the first hour is spent. Raises DataError."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DataError(
            f"the features are {needed / 1e9:.1f} GB, but {folder} has {free / 1e9:.1f} GB free; "
            f"choose another {arg.out}, or {arg.pooling} average"
        )
