"""(seed, epoch, image) determines the pixels, and nothing else does; transforms fire independently."""

from __future__ import annotations

import random
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.augmentation import RECIPES, Augmenter
from tests.fixtures import pixels

IMAGE = pixels(0, 60, 70)


@pytest.fixture(scope="module")
def augmenter() -> Augmenter:
    return Augmenter("food10", 32)


@settings(max_examples=15, deadline=None)
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


def fired(count: int) -> np.ndarray:
    """Which of the five outermost chances fired, [count, 5], seen through the transforms' own record."""
    import albumentations

    recorded = RECIPES["food10"](16)
    compose = albumentations.Compose(recorded.transforms, save_applied_params=True)
    names = ("HorizontalFlip", "Rotate", "RandomBrightnessContrast", "GaussNoise")
    rows = []
    for index in range(count):
        sequence = np.random.SeedSequence((0, 0, index))
        compose.set_random_state(
            np.random.default_rng(sequence), random.Random(int(sequence.generate_state(1, np.uint64)[0]))
        )
        applied = {name for name, _ in compose(image=IMAGE)["applied_transforms"]}
        rows.append([name in applied for name in names])
    return np.array(rows)


@pytest.mark.slow
def test_transforms_do_not_fire_in_lockstep() -> None:
    rows = fired(600)
    # HorizontalFlip .5, Rotate .6, RandomBrightnessContrast .5, GaussNoise .3; 4 deviations of 600 draws are .08
    np.testing.assert_allclose(rows.mean(axis=0), [0.5, 0.6, 0.5, 0.3], atol=0.085)
    correlation = np.corrcoef(rows.T) - np.eye(4)
    assert np.abs(correlation).max() < 0.17  # 4 / sqrt(600); seeding each transform alike gives up to 1


def test_building_a_recipe_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for build in RECIPES.values():
            build(32)


def test_small_and_flat_images(augmenter: Augmenter) -> None:
    for shape in ((1, 1, 3), (5, 200, 3), (32, 32, 3)):
        for index in range(8):
            assert augmenter(np.zeros(shape, np.uint8), seed=0, epoch=0, index=index).shape == (32, 32, 3)


def test_read_only_images_stay_as_they_are(augmenter: Augmenter) -> None:
    image = IMAGE.copy()
    image.flags.writeable = False
    for index in range(20):
        augmenter(image, seed=0, epoch=0, index=index)
    np.testing.assert_array_equal(image, IMAGE)
