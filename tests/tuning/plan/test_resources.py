from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tuning.plan.resources import Share, check_gpus_per_trial, gpus_per_trial, plan_share
from tuning.plan.settings import StudySettings, UsageError


@pytest.mark.parametrize(
    ("fraction", "fit"), [(1, 1), (0.5, 2), (0.25, 4), (0.333, 3), (0.33, 3), (0.2, 5), (1 / 3, 3)]
)
def test_fractions_that_fill_a_gpu(fraction: float, fit: int) -> None:
    assert check_gpus_per_trial(fraction) == fit


@pytest.mark.parametrize(
    ("fraction", "message"),
    [
        (0, "must be from 0.01 to 1"),
        (-0.5, "must be from 0.01 to 1"),
        (1.5, "must be from 0.01 to 1"),
        (1e-9, "must be from 0.01 to 1"),
        (float("nan"), "must be from 0.01 to 1"),
        (0.3, "3 such trials fit on a GPU and 10% of it would stay idle; write 0.333 (3 fit) or 0.25 (4 fit)"),
        (0.6, "1 such trials fit on a GPU and 40% of it would stay idle; write 1 (1 fit) or 0.5 (2 fit)"),
        (0.34, "2 such trials fit on a GPU and 32% of it would stay idle; write 0.5 (2 fit) or 0.333 (3 fit)"),
    ],
)
def test_fractions_that_do_not_say_how_many_fit(fraction: float, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        check_gpus_per_trial(fraction)
    assert message in str(raised.value)


def share(cores: int = 2, memory_gigabytes: float = 24, per_trial: float | None = None, **options: Any) -> Share:
    settings = StudySettings(results=Path(), data_dir=Path(), gpus_per_trial=per_trial, **options)
    return plan_share(settings, [cores], memory_gigabytes)


def test_a_trial_gets_the_cores_over_the_slots() -> None:
    assert share() == Share(slots=2, cpus=1.0, gpus=0.0)
    assert share(concurrent=1) == Share(slots=1, cpus=2.0, gpus=0.0)
    assert share(cores=16) == Share(slots=4, cpus=4.0, gpus=0.0)
    assert share(gpus=2, per_trial=0.5) == Share(slots=4, cpus=0.5, gpus=0.5)
    assert share(cores=16, gpus=2, per_trial=0.5) == Share(slots=4, cpus=4.0, gpus=0.5)
    assert share(cores=16, concurrent=3).cpus * 3 <= 16


def test_threads_are_whole_and_at_least_one() -> None:
    assert share(gpus=2, per_trial=0.5).threads == 1
    assert share(cores=16, gpus=1).threads == 16
    assert share(cores=5, concurrent=2).threads == 2


def test_a_small_memory_bounds_the_slots() -> None:
    assert share(cores=64, memory_gigabytes=8).slots == 4
    assert share(cores=4, memory_gigabytes=1).slots == 1


@pytest.mark.parametrize(
    ("gigabytes", "fraction"), [(None, 1), (8, 1), (12, 1), (16, 0.5), (24, 1 / 3), (48, 0.25), (80, 0.25)]
)
def test_the_default_part_of_a_gpu_leaves_each_trial_8_gigabytes(gigabytes: float | None, fraction: float) -> None:
    assert gpus_per_trial(gigabytes) == pytest.approx(fraction)
    assert check_gpus_per_trial(gpus_per_trial(gigabytes)) == round(1 / fraction)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"concurrent": 0}, "concurrent is 0"),
        ({"concurrent": 41}, "concurrent is 41, but 24 GB of memory hold 40 workers at most; 2 cores are best used"),
        ({"gpus": -1}, "gpus is -1"),
        ({"per_trial": 0.5}, "gpus_per_trial is 0.5 without GPUs; add gpus"),
        ({"gpus": 1, "concurrent": 3, "per_trial": 0.5}, "concurrent is 3, but 2 trials fit on 1 GPUs"),
    ],
)
def test_shares_that_cannot_be(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as raised:
        share(**options)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("nodes", "concurrent", "cpus"),
    [
        ((4, 4), 1, 4),  # never 8: no trial spans two machines
        ((4, 4), 2, 4),
        ((4, 4), 3, 2),
        ((8, 2), 3, 8 / 3),
        ((8, 2), 5, 2),
        ((1, 1, 1), 6, 0.5),
        ((7,), 3, 7 / 3),
    ],
)
def test_a_trial_fits_on_one_machine_of_a_cluster(nodes: tuple[int, ...], concurrent: int, cpus: float) -> None:
    settings = StudySettings(results=Path(), data_dir=Path(), concurrent=concurrent)
    share = plan_share(settings, nodes, 64)
    assert share.cpus == pytest.approx(cpus, abs=1e-4)
    assert sum(int(cores / share.cpus) for cores in nodes) >= concurrent
