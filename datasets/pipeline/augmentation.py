"""Named augmentation recipes, reproducible from (seed, epoch, image) alone, whatever thread runs them in what order."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datasets.dataset import DataError
from datasets.images.opencv import opencv
from datasets.images.resize import crop_source_side, resize_to_square
from datasets.input_config import Fit
from errors import unknown_name


def food10(image_size: int) -> list[Any]:
    """Return the training augmentation of the food10 report (its notebook Assignment_1.ipynb), uint8 RGB.

    The notebook ran Albumentations 0.4; where 2.0.8 has other defaults, 0.4's are spelled out: noise of variance 10 to
    50 (2.0.8's default is 4 to 36 times its deviation), reflected borders (now black), free grid distortion.
    """
    A, cv2 = _albumentations(), opencv()

    reflected = {"border_mode": cv2.BORDER_REFLECT_101}
    noise = (10**0.5 / 255, 50**0.5 / 255)  # standard deviation as a share of 255
    return [
        A.RandomResizedCrop((image_size, image_size), scale=(0.08, 1.0), ratio=(3 / 4, 4 / 3), p=1.0),
        A.HorizontalFlip(p=0.5),
        A.Rotate(limit=(-45, 45), p=0.6, **reflected),
        A.RandomBrightnessContrast(brightness_limit=(-0.2, 0.2), contrast_limit=(-0.2, 0.2), p=0.5),
        A.GaussNoise(std_range=noise, p=0.3),
        A.OneOf(
            [
                A.OpticalDistortion(distort_limit=(-0.05, 0.05), p=0.3, **reflected),
                A.GridDistortion(distort_limit=(-0.3, 0.3), normalized=False, p=0.1, **reflected),
                A.Sharpen(alpha=(0.2, 0.5), lightness=(0.5, 1.0), p=0.5),
                A.Emboss(alpha=(0.2, 0.5), strength=(0.2, 0.7), p=0.5),
                A.CLAHE(clip_limit=(1, 2), p=0.5),
            ],
            p=0.5,
        ),
        A.OneOf(
            [
                A.MotionBlur(blur_limit=(3, 7), p=0.2),
                A.Blur(blur_limit=(3, 7), p=0.1),
                A.MedianBlur(blur_limit=(3, 3), p=0.2),
                A.ImageCompression(compression_type="jpeg", quality_range=(40, 85), p=0.3),
            ],
            p=0.5,
        ),
        A.OneOf(
            [
                A.HueSaturationValue(
                    hue_shift_limit=(-8, 8), sat_shift_limit=(-30, 30), val_shift_limit=(-20, 20), p=0.5
                ),
                A.ToGray(p=0.01),
            ],
            p=0.5,
        ),
    ]


def photographs(image_size: int) -> list[Any]:
    """Augment photographs: a part of at least 35 % of the area, mirrored or not, lighter or darker."""
    A = _albumentations()
    return [
        A.RandomResizedCrop((image_size, image_size), scale=(0.35, 1.0), ratio=(3 / 4, 4 / 3), p=1.0),
        A.HorizontalFlip(p=0.5),
        A.RandomBrightnessContrast(brightness_limit=(-0.2, 0.2), contrast_limit=(-0.2, 0.2), p=0.5),
    ]


def alexnet(image_size: int) -> list[Any]:
    """Augment for AlexNet (deep-learning report): rotation 20, shifts 0.2, shear and zoom 0.15, mirror, crop.

    The crop, 227 of 256 pixels (other sizes in proportion, see datasets.images.resize.crop_source_side), comes last,
    so that its border shows the image. In the report it comes first, and its border is repeated where the image is
    turned.
    """
    whole = _keras(crop_source_side(image_size), "shorter_side", rotation=20, shift=0.2, shear=0.15, zoom=0.15)
    return [*whole, _albumentations().RandomCrop(image_size, image_size, p=1.0)]


def traffic_signs(image_size: int) -> list[Any]:
    """Shift by up to 2 of 32 pixels, scale by 0.9 to 1.1, turn by up to 15 degrees.

    Ranges: Sermanet and LeCun, 2011.     Signs are not mirrored: "turn left" would become "turn right".
    """
    A, cv2 = _albumentations(), opencv()

    return [
        _to_square(image_size, "stretch"),
        A.Affine(
            rotate=(-15, 15),
            scale=(0.9, 1.1),
            translate_percent=(-2 / 32, 2 / 32),
            border_mode=cv2.BORDER_REPLICATE,
            p=1.0,
        ),
    ]


class Augmenter:
    """Applies one recipe. Any number of threads may call it: each builds a recipe object of its own."""

    def __init__(self, recipe: str, image_size: int) -> None:
        """Build the recipe; raise DataError if it does not exist."""
        if recipe not in RECIPES:
            raise DataError(unknown_name("augmentation recipe", recipe, sorted(RECIPES)))
        self._build = RECIPES[recipe]
        self._image_size = image_size
        self._of_this_thread = threading.local()
        _albumentations()  # imported here, by one thread, and not by all of them at once

    def __call__(self, image: NDArray[np.uint8], *, seed: int, epoch: int, index: int) -> NDArray[np.uint8]:
        """Return the variant of an image that seed and epoch determine.

        Args:
            image: uint8 [H, W, 3].
            seed: From 0.
            epoch: From 0.
            index: Position of the image.

        Returns:
            uint8 [S, S, 3].
        """
        if not hasattr(self._of_this_thread, "compose"):
            self._of_this_thread.compose = _albumentations().Compose(self._build(self._image_size))
        compose = self._of_this_thread.compose
        # One pair of generators for all transforms, which draw from it in turn. Seeding each of them alike
        # (set_random_seed) makes them all fire together: 100 % agreement between independent coins, measured.
        sequence = np.random.SeedSequence((seed, epoch, index))
        compose.set_random_state(
            np.random.default_rng(sequence), random.Random(int(sequence.generate_state(1, np.uint64)[0]))
        )
        augmented: NDArray[np.uint8] = compose(image=image)["image"]
        return augmented


def _keras(
    side: int, fit: Fit, *, rotation: float = 0, shift: float = 0, shear: float = 0, zoom: float = 0
) -> list[Any]:
    """Return the transforms of Keras's ImageDataGenerator with horizontal_flip, on the square that `fit` makes.

    Args:
        side: Side in pixels.
        fit: How an image becomes a square.
        rotation: Largest angle in degrees, either way.
        shift: Largest share of the side, in whole pixels, along each axis on its own.
        shear: Largest angle in degrees (0.2, which looks like a share, is a fifth of a degree).
        zoom: Each axis on its own, by 1 - zoom to 1 + zoom (Keras divides by that number). New pixels repeat the border
            (fill_mode "nearest").
    """
    A, cv2 = _albumentations(), opencv()

    return [
        _to_square(side, fit),
        A.Affine(
            rotate=(-rotation, rotation),
            shear={"x": (-shear, shear), "y": (0, 0)},
            scale=dict.fromkeys("xy", (1 - zoom, 1 + zoom)),
            translate_percent=dict.fromkeys("xy", (-shift, shift)) if shift else None,
            keep_ratio=False,
            border_mode=cv2.BORDER_REPLICATE,
            p=1.0,
        ),
        A.HorizontalFlip(p=0.5),
    ]


def _to_square(side: int, fit: Fit) -> Any:
    """Return the resizing without augmentation, so that augmented and evaluated images are alike."""
    return _albumentations().Lambda(image=partial(_square, side=side, fit=fit), name=fit, p=1.0)


def _square(image: NDArray[np.uint8], *, side: int, fit: Fit, **_: Any) -> NDArray[np.uint8]:
    return resize_to_square(image, side, fit)


def _albumentations() -> Any:
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # else the import asks the network for a newer version
    opencv()  # before albumentations imports it
    import albumentations

    return albumentations


# Each makes the transforms for a side of the square; _keras mirrors too.
RECIPES: Mapping[str, Callable[[int], list[Any]]] = {
    "food10": food10,
    "photographs": photographs,
    "traffic_signs": traffic_signs,
    "alexnet": alexnet,
    "dogs_vs_cats": partial(_keras, fit="stretch", rotation=40, shear=0.2, zoom=0.2),  # dogs-vs-cats report
    # deep-learning report: its flowers; MiniGoogLeNet and ResNet on CIFAR-10; the five networks it averages; Tiny
    # ImageNet.
    "flowers17": partial(_keras, fit="shorter_side", rotation=30, shift=0.1, shear=0.2, zoom=0.2),
    "cifar10": partial(_keras, fit="shorter_side", shift=0.1),
    "cifar10_ensemble": partial(_keras, fit="shorter_side", rotation=10, shift=0.1),
    "tiny_imagenet": partial(_keras, fit="shorter_side", rotation=18, shift=0.2, shear=0.15, zoom=0.15),
}
