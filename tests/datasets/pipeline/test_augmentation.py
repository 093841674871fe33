"""(seed, epoch, image) determines the pixels, and nothing else does; transforms fire independently."""

from __future__ import annotations

import random
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.images.resize import resize_to_square
from datasets.input_config import Fit
from datasets.pipeline.augmentation import RECIPES, Augmenter
from tests.fixtures.archives import pixels

IMAGE = pixels(0, 60, 70)


@pytest.fixture(scope="module")
def augmenter() -> Augmenter:
    return Augmenter("food10", 32)


@settings(max_examples=15)
@given(st.integers(0, 2**32), st.integers(0, 1000), st.integers(0, 10_000))
def test_the_same_triple_gives_the_same_pixels_in_any_thread(seed: int, epoch: int, index: int) -> None:
    first = Augmenter("food10", 24)
    expected = first(IMAGE, seed=seed, epoch=epoch, index=index)
    assert expected.shape == (24, 24, 3)
    assert expected.dtype == np.uint8
    first(IMAGE, seed=seed + 1, epoch=epoch, index=index)  # what came before must not matter
    np.random.seed(0)
    random.seed(0)
    with ThreadPoolExecutor(1) as executor:
        found = executor.submit(first, IMAGE, seed=seed, epoch=epoch, index=index).result()
    np.testing.assert_array_equal(found, expected)


def test_any_order_and_any_number_of_threads(augmenter: Augmenter) -> None:
    def work(index: int) -> bytes:
        return augmenter(IMAGE, seed=5, epoch=2, index=index).tobytes()

    alone = [work(index) for index in range(60)]
    with ThreadPoolExecutor(4) as executor:
        together = list(executor.map(work, reversed(range(60))))
    assert together[::-1] == alone
    assert len(set(alone)) == 60


def test_every_part_of_the_triple_matters(augmenter: Augmenter) -> None:
    variants = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    made = {augmenter(IMAGE, seed=seed, epoch=epoch, index=index).tobytes() for seed, epoch, index in variants}
    assert len(made) == 4


@pytest.mark.slow
def test_transforms_do_not_fire_in_lockstep(monkeypatch: pytest.MonkeyPatch) -> None:
    import albumentations

    applied: list[set[str]] = []  # by each call, in the transforms' own record

    class Recorded(albumentations.Compose):
        def __call__(self, *arguments: Any, **data: Any) -> dict[str, Any]:
            done: dict[str, Any] = super().__call__(*arguments, **data)
            applied.append({name for name, _ in done["applied_transforms"]})
            return done

    monkeypatch.setattr(albumentations, "Compose", partial(Recorded, save_applied_params=True))
    augmenter = Augmenter("food10", 16)
    for index in range(600):
        augmenter(IMAGE, seed=0, epoch=0, index=index)
    chances = {"HorizontalFlip": 0.5, "Rotate": 0.6, "RandomBrightnessContrast": 0.5, "GaussNoise": 0.3}
    fired = np.array([[name in names for name in chances] for names in applied])
    np.testing.assert_allclose(fired.mean(axis=0), list(chances.values()), atol=0.085)  # 4 deviations of 600 draws
    correlation = np.corrcoef(fired.T) - np.eye(len(chances))
    assert np.abs(correlation).max() < 0.17  # 4 / sqrt(600); seeding each transform alike gives up to 1


def test_building_a_recipe_warns_of_nothing() -> None:
    import albumentations

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for build in RECIPES.values():
            albumentations.Compose(build(32))


def test_small_and_flat_images(augmenter: Augmenter) -> None:
    for shape in ((1, 1, 3), (5, 200, 3), (32, 32, 3)):
        for index in range(8):
            assert augmenter(np.zeros(shape, np.uint8), seed=0, epoch=0, index=index).shape == (32, 32, 3)


OF_KERAS = ("dogs_vs_cats", "flowers17", "cifar10", "cifar10_ensemble", "tiny_imagenet", "alexnet")


@pytest.mark.parametrize("recipe", OF_KERAS)
def test_a_flat_image_stays_flat(recipe: str) -> None:
    """What comes in from outside repeats the border: no black corner, whatever turns or shifts."""
    augmenter = Augmenter(recipe, 24)
    for index in range(20):
        assert (augmenter(np.full((30, 40, 3), 77, np.uint8), seed=0, epoch=0, index=index) == 77).all()


def test_shifts_and_mirrors_alone_are_exact() -> None:
    """Every variant is the image moved by up to 3 of 32 pixels along each axis, its border repeated, or its mirror."""
    image = np.random.default_rng(1).integers(0, 256, (32, 32, 3), np.uint8)
    padded = np.pad(image, ((3, 3), (3, 3), (0, 0)), "edge")
    moved = {(y, x): padded[3 + y : 35 + y, 3 + x : 35 + x] for y in range(-3, 4) for x in range(-3, 4)}
    known = {picture.tobytes(): (place, 1) for place, picture in moved.items()}
    known |= {picture[:, ::-1].tobytes(): (place, -1) for place, picture in moved.items()}
    augmenter = Augmenter("cifar10", 32)
    seen = [known[augmenter(image, seed=0, epoch=0, index=index).tobytes()] for index in range(400)]
    (rows, columns), mirrored = np.array([place for place, _ in seen]).T, [side for _, side in seen]
    assert set(rows) == set(columns) == set(range(-3, 4))
    assert abs(np.corrcoef(rows, columns)[0, 1]) < 0.2  # 4 / sqrt(400): each axis on its own
    assert abs(np.mean(mirrored)) < 0.2


def angle(image: np.ndarray) -> float:
    """Degrees by which the bright bar of an image is turned from the vertical."""
    rows, columns = np.nonzero(image[..., 0] > 127)
    points = np.stack([rows - rows.mean(), columns - columns.mean()])
    vector = np.linalg.eigh(points @ points.T)[1][:, 1]
    return float(np.degrees(np.arctan2(vector[1], vector[0])) % 180)


@pytest.mark.parametrize(("recipe", "limit"), [("cifar10_ensemble", 10), ("tiny_imagenet", 18), ("flowers17", 30)])
def test_rotations_reach_their_limits_and_no_further(recipe: str, limit: float) -> None:
    bar = np.zeros((100, 100, 3), np.uint8)
    bar[25:75, 48:52] = 255
    augmenter = Augmenter(recipe, 100)
    turned = np.array([angle(augmenter(bar, seed=0, epoch=0, index=index)) for index in range(150)])
    turned = np.minimum(turned, 180 - turned)
    # Unequal zooms of the axes turn a bar further: tan(30) * 1.2 / 0.8 is tan(41).
    zoom = {"flowers17": 1.2 / 0.8, "tiny_imagenet": 1.15 / 0.85}.get(recipe, 1.0)
    most = np.degrees(np.arctan(np.tan(np.radians(limit)) * zoom))
    assert 0.8 * limit < turned.max() < most + 1.5


def test_alexnet_cuts_227_of_256() -> None:
    """With nothing else at work, a crop of the fitted image at a random place."""
    import albumentations

    crop = RECIPES["alexnet"](227)[-1]
    assert isinstance(crop, albumentations.RandomCrop)
    assert Augmenter("alexnet", 227)(pixels(0, 300, 400), seed=0, epoch=0, index=0).shape == (227, 227, 3)
    square = RECIPES["alexnet"](227)[0]
    assert square(image=pixels(0, 300, 400))["image"].shape == (256, 256, 3)


def test_what_is_augmented_is_what_is_evaluated() -> None:
    """The square that a recipe starts from is the one that evaluation sees."""
    stretched, scaled = ("dogs_vs_cats", "traffic_signs"), ("flowers17", "tiny_imagenet")
    fits: dict[str, Fit] = {**dict.fromkeys(stretched, "stretch"), **dict.fromkeys(scaled, "shorter_side")}
    for recipe, fit in fits.items():
        for side in (24, 100):
            start = RECIPES[recipe](side)[0]
            np.testing.assert_array_equal(start(image=IMAGE)["image"], resize_to_square(IMAGE, side, fit))


def test_read_only_images_stay_as_they_are(augmenter: Augmenter) -> None:
    image = IMAGE.copy()
    image.flags.writeable = False
    for index in range(20):
        augmenter(image, seed=0, epoch=0, index=index)
    np.testing.assert_array_equal(image, IMAGE)
