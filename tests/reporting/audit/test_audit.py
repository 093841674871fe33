"""The audit fires on each defect, is silent on a healthy study, and proposes commands that `tune` takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import cli
from reporting.audit.audit import Audit, audit, audit_lines
from reporting.audit.check_search import spearman
from reporting.audit.ranges import edge, narrower
from search_spaces.food10 import FINE_TUNED, FROM_SCRATCH
from tests.fixtures.report import EPOCHS, study, study_events
from tests.fixtures.study import example_events, record_of
from tuning.plan.study_plan import axis_header
from tuning.records.header import AnyAxis, ChoiceAxis
from tuning.records.study_record import StudyRecord

DEFECTS: dict[str, dict[str, Any]] = {
    "edge_of_range": {"from_scratch": {"centre": 1.1e-4}},
    "still_improving": {"fine_tuned": {"pace": 12.0}},
    "overfitting": {"fine_tuned": {"overfits": True}},
    "rungs_disagree": {"from_scratch": {"slow_best": True}},
    "infeasible_trials": {"from_scratch": {"infeasible_above": 2e-3}},
    "within_noise": {"fine_tuned": {"top": 0.801, "seeds": (-0.01, 0.0, 0.01)}},
    "search_still_improving": {"fine_tuned": {"late_bonus": 0.05, "seeds": (0.048, 0.05, 0.052)}},
    "not_reproduced": {"fine_tuned": {"seeds": (-0.061, -0.06, -0.059)}},
    "below_validation": {"fine_tuned": {"test_drop": 0.1}},
}


def names(found: Audit) -> set[str]:
    return {finding.code for finding in found.findings}


def command(record: StudyRecord, name: str) -> str:
    [finding] = [finding for finding in audit(record).findings if finding.code == name]
    return finding.command


def test_a_healthy_study_is_left_in_peace() -> None:
    found = audit(study())
    assert found.findings == ()
    assert found.unjudged == ()
    assert found.verdict == "Nothing speaks against this table: none of 9 checks found anything."


@pytest.mark.parametrize("defect", DEFECTS)
def test_each_defect_is_found_and_no_other(defect: str) -> None:
    found = audit(study(**DEFECTS[defect]))
    assert names(found) == {defect}
    [finding] = found.findings
    assert finding.arm in (*DEFECTS[defect], "")
    assert finding.command in "\n".join(audit_lines(found))


@pytest.mark.parametrize("defect", DEFECTS)
def test_every_proposal_is_a_plan(defect: str) -> None:
    words = shlex.split(command(study(**DEFECTS[defect]), defect))
    assert words[:2] == ["python", "cli.py"]
    result = CliRunner().invoke(cli.cli, [*words[2:], "--dry-run"])
    assert result.exit_code == 0, result.output


def test_what_is_proposed() -> None:
    of = {defect: command(study(**shapes), defect) for defect, shapes in DEFECTS.items()}
    asked = "--trials 24 --epochs 16 --confirm-seeds 3"
    assert of["edge_of_range"].endswith(f"{asked} --space from_scratch.learning_rate=1e-5..0.01")
    assert "--epochs 32" in of["still_improving"]
    assert "fine_tuned.dropout=0..0.75" in of["overfitting"]
    assert "--scheduler none" in of["rungs_disagree"]
    assert "from_scratch.learning_rate=1e-4..1.6e-3" in of["infeasible_trials"]
    assert "--confirm-seeds 30" in of["within_noise"]
    assert "--trials 48" in of["search_still_improving"]
    assert of["below_validation"].endswith("--trials 24 --epochs 16 --folds 5")


def test_one_seed_cannot_tell_arms_apart() -> None:
    near = audit(study(from_scratch={"seeds": (0.0,)}, fine_tuned={"seeds": (0.0,), "top": 0.81}))
    [finding] = near.findings
    assert (finding.code, finding.severity) == ("within_noise", "serious")
    assert "one seed alone stands for one of them" in finding.sentence
    far = audit(study(from_scratch={"seeds": (0.0,)}, fine_tuned={"seeds": (0.0,)}))
    assert [finding.severity for finding in far.findings] == ["note"]
    assert "--confirm-seeds" not in far.findings[0].sentence
    assert "no fresh seed confirms" in audit(study(from_scratch={"seeds": ()})).findings[0].sentence


def test_the_interval_of_a_difference_by_hand() -> None:
    # Seeds of +-0.01: deviation 0.01 in both arms, 4 degrees of freedom: 2.776 * 0.01 * sqrt(2 / 3) = 0.02267.
    wide = {"seeds": (-0.01, 0.0, 0.01)}
    inside = audit(study(from_scratch=wide, fine_tuned={**wide, "top": 0.822}))
    assert names(inside) == {"within_noise"}
    needed = re.search(r"less than ([\d.]+) may be chance", inside.findings[0].sentence)
    assert needed is not None
    assert float(needed[1]) == pytest.approx(0.02267 * (1 - 2.718281828**-8), abs=1e-4)
    assert audit(study(from_scratch=wide, fine_tuned={**wide, "top": 0.824})).findings == ()


def test_what_a_study_went_on_from_is_not_judged_again() -> None:
    """16 epochs that rose, then 16 at their end: the second study trained long enough, the first is not its own."""
    events = [dict(event) for event in study_events()]
    history = [{"epoch": n, "metrics": {"val_accuracy": n / 40, "val_loss": 3 - n / 8}} for n in range(1, 17)]
    events[0]["goes_on"] = {"from": "food10/first/a@16", "epoch": 16, "history": history}
    assert audit(record_of(events)).findings == ()

    rising = [dict(event) for event in study_events(fine_tuned={"pace": 12.0})]
    rising[0]["goes_on"] = events[0]["goes_on"]
    [finding] = audit(record_of(rising)).findings
    assert "in epoch 16 of 16" in finding.sentence


def test_a_rising_loss_alone_is_no_overfitting() -> None:
    """One epoch of chance; a training loss above the validation loss; an objective that gains until the end."""

    def found(change: Callable[[int, dict[str, float]], dict[str, float]]) -> set[str]:
        events = [dict(event) for event in study_events(fine_tuned={"overfits": True})]
        for event in events:
            if event["event"] == "epoch" and event["trial"].startswith("fine_tuned"):
                event["metrics"] = {**event["metrics"], **change(event["epoch"], event["metrics"])}
        return names(audit(record_of(events)))

    assert found(lambda epoch, metrics: {}) == {"overfitting"}
    assert found(lambda epoch, metrics: {"val_loss": 1.0 if epoch == EPOCHS else 0.7 - 0.001 * epoch}) == set()
    assert found(lambda epoch, metrics: {"train_loss": 2.0 - epoch / 20}) == set()
    assert "overfitting" not in found(lambda epoch, metrics: {"val_accuracy": 0.9 * 1.02 ** (epoch - EPOCHS)})


def test_no_test_image_right_is_a_finding_too() -> None:
    events = [dict(event) for event in study_events(from_scratch={"top": 1.0, "pace": 0.01, "seeds": (0.0, 0.0)})]
    for event in events:
        if event["event"] == "test_measured" and event["arm"] == "from_scratch":
            event["metrics"] = {"test_accuracy": 0.0, "test_loss": 9.0}
    assert "below_validation" in names(audit(record_of(events)))  # 1.0 before: neither share has a variance


def test_too_little_is_said_to_be_too_little() -> None:
    found = audit(study(trials=6))
    assert {one.check for one in found.unjudged} == {
        "whether the search was long enough",
        "whether early stopping ranked trials rightly",
    }
    assert "could not be judged" in found.verdict


@pytest.mark.parametrize("end", ["completed", "interrupted", None])
def test_a_study_that_lacks_things_is_read_as_far_as_it_goes(end: str | None) -> None:
    for missing in (False, True):
        audit(record_of(example_events(missing_arm=missing, confirm_seeds=1, end=end, null_seed=True)))
    audit(record_of(example_events()[:1]))


def test_seeds_that_learn_nothing_where_the_search_saw_all_right() -> None:
    """By neither share alone is there an error to divide by."""
    record = study()
    best = record.best_trial("fine_tuned")
    assert best is not None
    best.best = 1.0
    for trial in record.of_arm("fine_tuned", "confirm"):
        trial.best = 0.0
        for epoch in trial.epochs:
            epoch.metrics["val_accuracy"] = 0.0
    assert "not_reproduced" in names(audit(record))


def test_of_a_study_that_was_cut_short_the_verdict_says_so() -> None:
    whole = study()
    whole.status = "interrupted"
    assert audit(whole).verdict.startswith("Nothing speaks against this table as far as it came")


def described(space: Any, name: str) -> AnyAxis:
    return axis_header(space.parameter(name))


@pytest.mark.parametrize(
    ("space", "axis", "best", "proposed"),
    [
        (FROM_SCRATCH, "learning_rate", (1e-4, 1.2e-4, 2e-4), "1e-5..0.01"),
        (FROM_SCRATCH, "learning_rate", (9e-3, 8e-3, 5e-3, 1e-4), "1e-4..0.1"),
        (FROM_SCRATCH, "learning_rate", (1e-3, 1e-4, 1e-4), None),  # the best lies inside
        (FROM_SCRATCH, "learning_rate", (1e-4, 1e-4, 1e-3), None),  # another one does
        (FROM_SCRATCH, "dropout", (0.0, 0.0, 0.01), None),  # nothing lies below
        (FROM_SCRATCH, "dropout", (0.5, 0.49, 0.4), "0..0.75"),
        (FROM_SCRATCH, "momentum", (0.95, 0.95, 0.95), "0.8..0.975"),
        (FROM_SCRATCH, "conv_blocks", (4, 4, 4), None),  # of two values one is always an end
        (FROM_SCRATCH, "optimizer", ("adam", "adam", "adam"), None),
        (FINE_TUNED, "frozen_fraction", (0.8, 0.8, 0.8), "0.5,0.6,0.7,0.8,0.9"),
        (FINE_TUNED, "frozen_fraction", (0.5, 0.5, 0.5), "0.4,0.5,0.6,0.7,0.8"),
        (FINE_TUNED, "frozen_fraction", (0.7, 0.8, 0.8), None),
    ],
)
def test_edges(space: Any, axis: str, best: tuple[Any, ...], proposed: str | None) -> None:
    found = edge(described(space, axis), best)
    assert (found.proposed if found else None) == proposed


def test_what_a_list_has_at_its_end_by_chance() -> None:
    axis = ChoiceAxis(name="batch_size", values=(8, 16, 32), allowed=(128, 64, 32, 16, 8))
    assert edge(axis, (32, 32, 32)) is None  # of two ends and three values: 2/3 * 1/9 = 7 %
    assert edge(axis, (32, 32, 32, 16)) is None
    found = edge(axis, (32, 32, 32, 32))  # 2 %
    assert found is not None
    assert found.proposed == "8,16,32,64"


def test_a_range_without_the_lost_trials() -> None:
    axis = described(FROM_SCRATCH, "learning_rate")
    usable = [{"learning_rate": value} for value in (2e-4, 1e-3, 3e-3)]
    lost = [{"learning_rate": value} for value in (5e-3, 9e-3)]
    assert narrower(axis, usable, lost) == (1e-4, 3e-3, "at the upper end")
    assert narrower(axis, lost, usable) == (5e-3, 1e-2, "at the lower end")
    assert narrower(axis, usable, usable) is None


def test_rank_correlation_by_hand() -> None:
    assert spearman([1, 2, 3, 4], [10, 20, 30, 40]) == pytest.approx(1)
    assert spearman([1, 2, 3, 4], [4, 3, 2, 1]) == pytest.approx(-1)
    assert spearman([1, 2, 2, 4], [1, 2, 3, 4]) == pytest.approx(0.9486833)  # ties at rank 2.5
    assert spearman([1, 1, 1], [1, 2, 3]) is None


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=3, max_size=20))
def test_only_ranks_count(pairs: list[tuple[int, int]]) -> None:
    left, right = zip(*pairs, strict=True)
    found = spearman(left, right)
    stretched = spearman([value**3 for value in left], right)
    assert found == stretched
    assert found is None or spearman([-value for value in left], right) == pytest.approx(-found)


def test_a_study_without_a_row_is_not_praised() -> None:
    found = audit(record_of(example_events()[:5]))
    assert found.verdict == "There is no table to judge: no arm has a finished trial."
    assert ("its row", "fine_tuned") in {(one.check, one.arm) for one in found.unjudged}
