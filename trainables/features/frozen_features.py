"""The output of frozen prefixes: computed once for all cuts of an arm in one pass, then mapped by its trials."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from datasets.input_config import key_fit
from errors import arg
from trainables import devices
from trainables.features.batch_sources import FeatureFeed, Feed, ImageFeed
from trainables.features.cache_policy import Work, decide
from trainables.features.feature_cache import FeatureCache, key_of
from trainables.learner import Fatal, Infeasible
from trainables.models.parts.built_network import frozen_blocks
from trainables.training.model_cache import PREFIX_BATCH, CachedModel
from trainables.trial_spec import TrainingSpec

if TYPE_CHECKING:
    from datasets.pipeline.batches import SplitBatches

FORMAT = 2  # raise it whenever these numbers would come out otherwise
# Libraries that compute them.
_LIBRARIES = ("tensorflow", "keras", "numpy", "albumentations", "opencv-python-headless")


def feature_feed(
    warm: CachedModel, cut: int, spec: TrainingSpec, images: SplitBatches
) -> tuple[FeatureFeed, dict[str, Any]]:
    """Return a source of features for learners that need them: in memory if they are not kept on disk.

    Args:
        warm: The network.
        cut: Number of frozen blocks.
        spec: Specification of the training.
        images: The split.

    Raises:
        Infeasible: They are neither kept nor fit into half of this worker's memory.
    """
    found, fact = feed(warm, cut, spec, images, lambda: None)
    if isinstance(found, FeatureFeed):
        return found, fact
    size = _bytes(warm, cut) * len(images)
    if size > spec.memory_bytes / 2:
        raise Infeasible(
            f"the features of {len(images)} images are {size / 1e9:.2g} GB, which neither {arg.feature_cache} keeps "
            f"nor half of a worker's {spec.memory_bytes / 1e9:.2g} GB holds: raise {arg.feature_cache}, or "
            f"{arg.sets} pooling=average"
        )
    prefix = warm.prefix([cut])
    arrays = [np.empty((len(images), *tensor.shape[1:]), _kind(tensor)) for tensor in warm.boundary_tensors(cut)]
    start = 0
    for batch in images.batches(PREFIX_BATCH):
        for array, rows in zip(arrays, prefix(batch), strict=True):
            array[start : start + len(batch)] = rows
        start += len(batch)
    return FeatureFeed(images, arrays), fact


def feed(
    warm: CachedModel, cut: int, spec: TrainingSpec, images: SplitBatches, while_waiting: Callable[[], None]
) -> tuple[Feed, dict[str, Any]]:
    """Return the source of inputs after a cut, and facts for the study's record.

    Args:
        warm: The network.
        cut: Number of frozen blocks.
        spec: Specification of the training.
        images: The split.
        while_waiting: Called before waiting for another process that computes the same.

    Raises:
        Fatal: The features cannot be written.
    """
    augmentation, views = images.view.augmentation, images.view.views
    if spec.features is None or (cut == 0 and augmentation != "views"):
        return ImageFeed(images), {}
    if cut and warm.prefix_identity(cut) is None:
        return ImageFeed(images), {"kept": False, "why": "its weights are drawn by the trial's seed"}

    # An epoch may show fewer images than there are, or more.
    shown = (images.view.epoch_images if images.split == "train" else images.view.check_images) or len(images)
    epochs = math.ceil(max(spec.arm_epochs, spec.max_epochs) * shown / len(images))

    def work(number: int) -> Work:
        return Work(
            augmentation=augmentation,
            multiply_adds=warm.prefix_multiply_adds(number),
            images=len(images),
            views=views,
            epochs=epochs,
            bytes_per_image=_bytes(warm, number),
            limit_bytes=spec.features_bytes,
        )

    decision = decide(work(cut))
    fact = decision.as_fact(work(cut))
    if not decision.keep:
        return ImageFeed(images), fact
    keys = {
        number: key_of(_identity(warm, number, spec, images, views))
        for number in {cut, *_cuts_of_the_arm(warm, spec)}
        if number == cut or (number and decide(work(number)).keep)
    }
    store = FeatureCache(spec.features, spec.features_bytes)
    arrays = store.open(keys[cut])
    if arrays is None:
        one_pass = key_of({str(number): key for number, key in keys.items()})
        try:
            with store.writing(one_pass, while_waiting):
                arrays = store.open(keys[cut])  # another process has written it meanwhile
                if arrays is None:
                    arrays = _computed(warm, keys, cut, images, views, store, spec.features_bytes)[keys[cut]]
        except OSError as error:
            # Going on without them would train on other last digits than a machine with more space.
            raise Fatal(
                f"the output of frozen layers cannot be written ({error.strerror or error}): "
                f"choose another {arg.data_dir}, or do without with {arg.feature_cache} 0"
            ) from None
    return FeatureFeed(images, arrays), fact


def _cuts_of_the_arm(warm: CachedModel, spec: TrainingSpec) -> set[int]:
    cuts = set()
    for point in spec.freeze_points:
        with suppress(ValueError):  # a point that another backbone of the arm has; its own trial says what is wrong
            cuts.add(frozen_blocks(warm.network, point))
    return cuts


def _computed(
    warm: CachedModel, cuts: dict[int, str], cut: int, images: SplitBatches, views: int, store: FeatureCache, limit: int
) -> dict[str, tuple[np.ndarray, ...]]:
    """Compute the missing cuts in one pass over every view of every image, or one cut where they are many."""
    keys = {number: key for number, key in sorted(cuts.items()) if number == cut or store.open(key) is None}
    if sum(_bytes(warm, number) for number in keys) * len(images) * views > limit:
        keys = {cut: cuts[cut]}
    crossing = {number: warm.boundary_tensors(number) for number in keys}
    count = len(images) * views
    entries = {
        keys[number]: [((count, *tensor.shape[1:]), _kind(tensor)) for tensor in tensors]
        for number, tensors in crossing.items()
    }
    prefix = warm.prefix(sorted(keys)) if any(keys) else None

    def batches() -> Iterator[dict[str, Sequence[np.ndarray]]]:
        for batch in images.view_batches(PREFIX_BATCH, devices.threads()):
            outputs = iter([batch] if prefix is None else prefix(batch))
            yield {keys[number]: [next(outputs) for _ in crossing[number]] for number in sorted(keys)}

    about = {"data": images.store.title, "split": images.split, "network": warm.network.model.name}
    return store.write(entries, batches(), about)


def _identity(warm: CachedModel, cut: int, spec: TrainingSpec, images: SplitBatches, views: int) -> dict[str, Any]:
    """Everything these numbers follow from."""
    return {
        "format": FORMAT,
        "prefix": warm.prefix_identity(cut) if cut else "pixels",
        "precision": spec.precision,
        "image_size": images.view.image_size,
        "crop": f"{images.view.recipe}, {views} views" if images.view.augmentation == "views" else key_fit(images.view),
        "data": images.store.fingerprint,
        "split": images.split,
        "batch": PREFIX_BATCH,
        "libraries": _versions(),
        "device": devices.name(),
    }


@functools.cache
def _versions() -> dict[str, str]:
    return {name: metadata.version(name) for name in _LIBRARIES}


def _bytes(warm: CachedModel, cut: int) -> int:
    """Return the bytes of one image's features."""
    return sum(math.prod(tensor.shape[1:]) * np.dtype(_kind(tensor)).itemsize for tensor in warm.boundary_tensors(cut))


def _kind(tensor: Any) -> Any:
    return tf.as_dtype(tensor.dtype).as_numpy_dtype
