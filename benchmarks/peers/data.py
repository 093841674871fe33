"""The images as a user of Keras would feed them: decoded, in memory, through tf.data."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from benchmarks.workloads import VALIDATION_BATCH, Workload

AUGMENTATION_RECIPE = "food10"


@dataclass(frozen=True, kw_only=True)
class Data:
    """Images uint8 [N, S, S, 3], centred and padded with zeros; their labels; what of each square is picture."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    train_sizes: NDArray[np.int64]  # [N, 2], height and width
    val_images: NDArray[np.uint8]
    val_labels: NDArray[np.int64]


def load(material: Path, *, mapped: bool) -> Data:
    """Load pixels and labels.

    Args:
        material: Folder filled by prepare_inputs.
        mapped: Whether to leave images in the page cache, which processes share, instead of copying them.
    """

    def array(name: str, mode: Any = None) -> Any:
        return np.load(material / f"{name}.npy", mmap_mode=mode)

    images = "r" if mapped else None
    return Data(
        train_images=array("train_images", images),
        train_labels=array("train_labels"),
        train_sizes=array("train_sizes"),
        val_images=array("val_images", images),
        val_labels=array("val_labels"),
    )


def training(workload: Workload, data: Data, seed: int, threads: int) -> tf.data.Dataset:
    """Return training batches, shuffled in each epoch; only whole batches, so that all systems take the same steps.

    Args:
        workload: The workload.
        data: Pixels and labels.
        seed: Seed of the order and the augmentation.
        threads: Threads that augment.
    """
    if workload.augmentation == "live":
        return _augmented(workload, data, seed, threads).prefetch(tf.data.AUTOTUNE)
    images = tf.data.Dataset.from_tensor_slices((data.train_images, data.train_labels))
    shuffled = images.shuffle(len(data.train_labels), seed=seed, reshuffle_each_iteration=True)
    return shuffled.batch(workload.batch_size, drop_remainder=True).prefetch(tf.data.AUTOTUNE)


def validation(data: Data) -> tf.data.Dataset:
    """Return validation batches."""
    images = tf.data.Dataset.from_tensor_slices((data.val_images, data.val_labels))
    return images.batch(VALIDATION_BATCH).prefetch(tf.data.AUTOTUNE)


def _augmented(workload: Workload, data: Data, seed: int, threads: int) -> tf.data.Dataset:
    """Apply this project's augmentation image by image, so that an image costs every system the same.

    Python threads run it because two simpler ways are slower: tf.data's own threads lose thread-local state between
    calls, so that each image would build the recipe again (11 ms instead of 2), and `fit` takes two more batches of a
    keras.utils.PyDataset than it trains on.
    """
    from datasets.pipeline.augmentation import Augmenter

    augment = Augmenter(AUGMENTATION_RECIPE, workload.image_size)
    pictures = [_picture(*pair) for pair in zip(data.train_images, data.train_sizes, strict=True)]
    epochs = itertools.count()

    def batches() -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
        epoch, size = next(epochs), workload.batch_size
        order = np.random.default_rng((seed, epoch)).permutation(len(pictures))

        def variant(index: int) -> NDArray[np.uint8]:
            return augment(pictures[index], seed=seed, epoch=epoch, index=index)

        with ThreadPoolExecutor(threads) as pool:
            for start in range(0, len(order) - size + 1, size):
                chosen = order[start : start + size]
                yield np.stack(list(pool.map(variant, chosen.tolist()))), data.train_labels[chosen]

    shape = (workload.batch_size, *data.train_images.shape[1:])
    signature = (tf.TensorSpec(shape, tf.uint8), tf.TensorSpec(shape[:1], tf.int64))
    return tf.data.Dataset.from_generator(batches, output_signature=signature)


def _picture(square: NDArray[np.uint8], size: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return the picture without its zero padding: this project augments the stored picture."""
    height, width = size.tolist()
    top, left = (square.shape[0] - height) // 2, (square.shape[1] - width) // 2
    return square[top : top + height, left : left + width]
