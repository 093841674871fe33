from __future__ import annotations

from pathlib import Path

import pytest

from tasks.task import load_task
from tuning.plan.image_limits import drop_values_for_larger_images
from tuning.plan.make_plan import resolve_arms
from tuning.plan.settings import StudySettings, UsageError


@pytest.mark.parametrize(("side", "expected"), [(8, (8,)), (16, (8, 16)), (28, (8, 16)), (64, (8, 16, 32))])
def test_pooled_sides_above_the_image_are_gone(side: int, expected: tuple[int, ...]) -> None:
    space = load_task("digits").arm("pixels").space
    fitting = drop_values_for_larger_images("pixels", space, side)
    assert fitting.choices("pooled_side") == expected
    assert all(config.get("pooled_side", 8) in expected for config in fitting.published)


@pytest.mark.parametrize(
    ("task", "arm", "side", "parameter", "expected"),
    [
        ("digits", "pixels", None, "pooled_side", (8,)),
        ("food10", "from_scratch", 8, "conv_blocks", (3,)),
        ("food10", "from_scratch", 56, "conv_blocks", (3, 4)),
    ],
)
def test_the_plan_offers_what_its_images_allow(
    task: str, arm: str, side: int | None, parameter: str, expected: tuple[int, ...], tmp_path: Path
) -> None:
    settings = StudySettings(results=tmp_path, data_dir=tmp_path, arms=(arm,), image_size=side)
    [planned] = resolve_arms(load_task(task), settings, None)
    assert planned.space.choices(parameter) == expected


@pytest.mark.parametrize(
    ("task", "arm", "side", "sets", "named"),
    [
        ("food10", "fine_tuned", 16, (), "NASNetMobile .*32"),
        ("food10", "from_scratch", 4, (), "conv_blocks 3 .*8"),
        ("digits", "pixels", None, ("pooled_side=16",), "pooled_side 16 .*16"),
    ],
)
def test_an_arm_without_a_possible_value_is_refused(
    task: str, arm: str, side: int | None, sets: tuple[str, ...], named: str, tmp_path: Path
) -> None:
    settings = StudySettings(results=tmp_path, data_dir=tmp_path, arms=(arm,), image_size=side, sets=sets)
    with pytest.raises(UsageError, match=named):
        resolve_arms(load_task(task), settings, None)
