"""Curves are the mean over the seeds of a row, and the picture is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageColor

from reporting.plots.learning_curves import COLOURS, Curve, curves, draw_curves
from reporting.plots.live_curves import LiveCurves
from search_spaces.objective import LOSS, SCORE
from tests.fixtures.study import example_events, typed, write_study
from tuning.records.study_record import read_study


def test_a_curve_is_the_mean_of_the_seeds_that_confirm_a_row(tmp_path: Path) -> None:
    record = read_study(write_study(tmp_path, example_events()))
    found = curves(record, "val_accuracy")
    assert [curve.arm for curve in found] == ["from_scratch", "fine_tuned"]
    for curve in found:
        trials = record.confirmed(curve.arm)
        assert curve.seeds == len(trials) == 3
        first = [trial.epochs[0].metrics["val_accuracy"] for trial in trials]
        assert curve.mean[0] == pytest.approx(sum(value or 0 for value in first) / 3)
        assert (curve.least[0], curve.most[0]) == (min(first), max(first))  # type: ignore[type-var]
        assert curve.epochs == tuple(epoch.epoch for epoch in max(trials, key=lambda t: len(t.epochs)).epochs)


def test_a_curve_has_converged_in_the_first_epoch_within_a_hundredth_of_its_best() -> None:
    def curve(*mean: float) -> Curve:
        epochs = tuple(range(1, len(mean) + 1))
        return Curve(arm="a", label="a", seeds=1, epochs=epochs, mean=mean, least=mean, most=mean)

    assert curve(0.5, 0.788, 0.793, 0.8).converged(SCORE) == 3  # 0.792 is a hundredth below 0.8
    assert curve(0.5, 0.8, 0.7).converged(SCORE) == 2
    assert curve(2.0, 1.02, 1.0, 1.2).converged(LOSS) == 3
    assert curve(0.4).converged(SCORE) == 1


def test_an_arm_without_a_finished_trial_has_no_curve(tmp_path: Path) -> None:
    record = read_study(write_study(tmp_path, example_events(missing_arm=True)))
    assert [curve.arm for curve in curves(record, "val_loss")] == ["from_scratch"]


def test_the_picture(tmp_path: Path) -> None:
    record = read_study(write_study(tmp_path, example_events(null_seed=True)))
    assert draw_curves(record, tmp_path / "plots" / "curves.png")
    with Image.open(tmp_path / "plots" / "curves.png") as picture:
        assert picture.size == (1200, 600)
        panels = picture.convert("RGB").crop((0, 0, 1200, 440))  # above the legend
    colours = {colour: count for count, colour in panels.getcolors(2**20)}
    for colour in COLOURS[:2]:  # one for each arm; a line is three pixels wide
        assert colours.get(ImageColor.getrgb(colour), 0) > 300
    assert [path.name for path in (tmp_path / "plots").iterdir()] == ["curves.png"]


def test_nothing_finished_draws_nothing(tmp_path: Path) -> None:
    record = read_study(write_study(tmp_path, example_events()[:1]))
    assert not draw_curves(record, tmp_path / "plots" / "curves.png")
    assert not (tmp_path / "plots").exists()


def test_what_a_study_went_on_from_comes_first(tmp_path: Path) -> None:
    events = example_events()
    history = [{"epoch": n, "metrics": {"val_accuracy": n / 100, "val_loss": 2.0, "train_loss": 2.0}} for n in (1, 2)]
    alone = read_study(write_study(tmp_path / "alone", events))
    joined = read_study(
        write_study(
            tmp_path / "joined",
            [{**events[0], "goes_on": {"from": "food10/a/b@2", "epoch": 2, "history": history}}, *events[1:]],
        )
    )
    before, after = curves(alone, "val_accuracy")[0], curves(joined, "val_accuracy")[0]
    assert after.epochs == tuple(range(1, len(before.epochs) + 3))
    assert after.mean == (0.01, 0.02, *before.mean)
    assert (before.joined_after, after.joined_after) == (0, 2)
    assert draw_curves(joined, tmp_path / "joined.png")


def test_while_a_study_runs_its_best_trial_so_far_is_drawn_now_and_then(tmp_path: Path) -> None:
    picture = tmp_path / "plots" / "curves.png"
    patient, eager = LiveCurves(picture, every_seconds=3600), LiveCurves(picture, every_seconds=0)
    first = []
    for event in example_events():
        first.append(event)
        patient.apply(typed(event))
        if event["event"] == "epoch":
            break
    assert not picture.exists()
    for event in first:
        eager.apply(typed(event))
    drawn = picture.stat().st_mtime_ns
    eager.apply(typed(first[-1]))
    assert picture.stat().st_mtime_ns == drawn  # drawing takes a small part of the driver's time
