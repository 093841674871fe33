"""The phases of a study: pre-training, search, confirmation, test.

Each phase names its next trial when asked, and is told how its trials end.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import optuna

from search_spaces.parameters import Config
from trainables.trial_spec import TrialSpec
from tuning.execution.pretraining import SEED as PRETRAINING_SEED
from tuning.execution.samplers import make_sampler
from tuning.execution.trial_specs import TrialSpecBuilder
from tuning.listeners.optuna_storage import direction_of
from tuning.plan.study_plan import GRID_POINTS, ArmPlan, StudyPlan
from tuning.records.event_log import EventLog
from tuning.records.events import EnsembleMeasured, TestMeasured, TestOpened, TrialAsked, TrialRole
from tuning.records.study_record import StudyRecord, TrialRecord


@dataclass(kw_only=True)
class StudyState:
    """The state of a study that its phases share."""

    plan: StudyPlan
    log: EventLog
    record: StudyRecord
    specs: TrialSpecBuilder
    running: dict[str, TrialSpec] = field(default_factory=dict)
    again: list[TrialSpec] = field(default_factory=list)  # whose worker died before their first result

    def runs(self, arm: str, role: str) -> bool:
        """Return whether a trial of that arm and role runs.

        Args:
            arm: Name of the arm.
            role: Purpose of the trial.
        """
        return any(spec.arm == arm and spec.role == role for spec in self.running.values())

    def train(
        self, arm: ArmPlan, trial: str, role: TrialRole, number: int, config: Config, seed: int, max_epochs: int
    ) -> TrialSpec:
        """Record a trial and return its specification.

        Args:
            arm: The arm.
            trial: Name of the trial.
            role: Purpose of the trial.
            number: Position among the arm's trials of this role.
            config: The configuration.
            seed: Seed of the trial.
            max_epochs: Its budget.
        """
        name, values = arm.arm.name, dict(config)
        asked = TrialAsked(
            trial=trial, arm=name, role=role, number=number, config=values, seed=seed, max_epochs=max_epochs
        )
        self.log.append(asked)
        kept = self.plan.searched_models(arm)
        best = self.record.best_trials(name, kept)
        least = best[-1].best if kept and len(best) == kept else None
        return self.specs.training(arm, self.record.trials[trial], least)


class PretrainPhase:
    """Trials that backbones learn from first, before all else: whole arms wait for them."""

    def __init__(self, state: StudyState) -> None:
        self._state = state
        self._learned: set[Path] = set()  # files that pre-trainings of this study have written

    def ask(self) -> TrialSpec | None:
        """Return the next pre-training; only one where two arms wait for the same."""
        state = self._state
        under_way = {spec.backbone for spec in (*state.running.values(), *state.again)}
        for arm in state.plan.arms:
            pretrained = state.specs.pretrained.get(arm.arm.name)
            if pretrained and not self.is_over(arm.arm.name) and pretrained.weights not in under_way:
                trial, epochs = f"{arm.arm.name}-pretrain", pretrained.pretraining.epochs
                return state.train(arm, trial, TrialRole.PRETRAIN, 0, pretrained.config, PRETRAINING_SEED, epochs)
        return None

    def is_over(self, arm: str) -> bool:
        """Return whether the arm's backbone has learned, or has nothing to learn."""
        pretrained = self._state.specs.pretrained.get(arm)
        # Told by its trial too: on a network disk a file that another machine wrote may show half a minute later.
        return pretrained is None or pretrained.weights in self._learned or pretrained.weights.exists()

    def tell_finished(self, spec: TrialSpec, status: str, reason: str) -> str | None:
        """Record the end of a pre-training; return the reason if it is fatal for the study.

        Args:
            spec: The trial.
            status: Its status.
            reason: Why it ended.
        """
        if spec.backbone is not None and status == "completed":
            self._learned.add(spec.backbone)
            return None
        return f"{spec.arm}: its backbone's pre-training {status}: {reason}"


@dataclass(kw_only=True)
class _ArmSearch:
    """One arm's own Optuna study and its trials."""

    plan: ArmPlan
    study: optuna.Study
    asked: int = 0
    drawn: dict[str, optuna.trial.Trial] = field(default_factory=dict)


class SearchPhase:
    """The search of all arms, which take turns at equally many trials."""

    def __init__(self, state: StudyState, pretraining: PretrainPhase) -> None:
        self._state, self._pretraining = state, pretraining
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._arms = {plan.arm.name: self._begin(plan) for plan in state.plan.arms}

    def _begin(self, plan: ArmPlan) -> _ArmSearch:
        settings, space = self._state.plan.settings, plan.arm.space
        # The seed of the arm's own stream of draws, the same whatever other arms there are.
        seed = int.from_bytes(hashlib.sha256(f"{settings.seed}/{plan.arm.name}".encode()).digest()[:4], "big")
        sampler = make_sampler(settings.search, seed, plan.trials)
        study = optuna.create_study(sampler=sampler, direction=direction_of(self._state.plan.objective))
        points: Sequence[Config] = space.published[: plan.trials]
        if settings.search == "grid":
            points = list(space.grid(GRID_POINTS))
            if len(points) > plan.trials:  # spread over the whole grid, not its first corner
                points = [points[round(i * (len(points) - 1) / max(plan.trials - 1, 1))] for i in range(plan.trials)]
        for config in () if plan.listed else points:
            study.enqueue_trial({name: value for name, value in config.items() if name not in space.constants})
        return _ArmSearch(plan=plan, study=study)

    def ask(self) -> TrialSpec | None:
        """Return the next trial of the arm with the fewest trials asked, the first of equals."""
        unasked = [arm for arm in self._arms.values() if arm.asked < arm.plan.trials]
        ready = [arm for arm in unasked if self._pretraining.is_over(arm.plan.arm.name)]
        if not ready:
            return None
        arm = min(ready, key=lambda arm: arm.asked)
        plan, number = arm.plan, arm.asked
        arm.asked += 1
        name = f"{plan.arm.name}-{number:04d}"
        if plan.listed:
            listed = plan.listed[number]
            return self._state.train(plan, name, TrialRole.SEARCH, number, listed.config, listed.seed, listed.epochs)
        arm.drawn[name] = arm.study.ask()
        config, seed = plan.arm.space.suggest(arm.drawn[name]), self._state.plan.settings.seed
        return self._state.train(plan, name, TrialRole.SEARCH, number, config, seed, plan.arm.max_epochs)

    def is_over(self, arm: str) -> bool:
        """Return whether all trials of the arm have been asked and none runs."""
        return self._arms[arm].asked >= self._arms[arm].plan.trials and not self._state.runs(arm, "search")

    def tell_epoch(self, spec: TrialSpec, result: dict[str, Any]) -> None:
        """Report the best value so far to the sampler.

        Args:
            spec: The trial.
            result: Ray's result of the epoch.
        """
        drawn = self._arms[spec.arm].drawn.get(spec.trial)
        if drawn is not None:
            drawn.report(result["objective"], step=result["epoch"])

    def tell_finished(self, spec: TrialSpec, status: str) -> None:
        """Report the end of a trial to the sampler; of ended trials only the best keep their models.

        Args:
            spec: The trial.
            status: Its status.
        """
        arm, record = self._arms[spec.arm], self._state.record
        if spec.checkpoint is not None:
            best = record.best_trials(spec.arm, self._state.plan.searched_models(arm.plan))
            for trial in record.of_arm(spec.arm, TrialRole.SEARCH):
                if trial.ended_time is not None and trial not in best:
                    shutil.rmtree(self._state.specs.folder(trial.trial), ignore_errors=True)
        drawn = arm.drawn.pop(spec.trial, None)
        if drawn is None:
            return
        value = record.trials[spec.trial].best
        if status == "completed" and value is not None:
            arm.study.tell(drawn, value)
        else:
            states = optuna.trial.TrialState
            arm.study.tell(drawn, state=states.PRUNED if status == "stopped" else states.FAIL)


class ConfirmPhase:
    """Trainings of each arm's best configuration with other seeds."""

    def __init__(self, state: StudyState) -> None:
        self._state = state

    def ask(self, arm: ArmPlan, best: TrialRecord) -> TrialSpec | None:
        """Return the next confirmation of the arm's best trial; None when all seeds are used.

        Args:
            arm: The arm.
            best: Its best trial.
        """
        name, seeds = arm.arm.name, self._state.plan.seeds_of(arm)
        number = len(self._state.record.of_arm(name, TrialRole.CONFIRM))
        if number >= len(seeds):
            return None
        trial = f"{name}-confirm-{number}"
        return self._state.train(arm, trial, TrialRole.CONFIRM, number, best.config, seeds[number], best.max_epochs)


class TestPhase:
    """One measurement of each arm's confirmed models, and of their ensembles, on the test split."""

    def __init__(self, state: StudyState) -> None:
        self._state = state
        self._asked: set[str] = set()  # arms

    def ask(self, arm: ArmPlan) -> TrialSpec | None:
        """Return the measurement of an arm, once, when all its confirmations have ended and any left a model."""
        name, state = arm.arm.name, self._state
        if name in self._asked or state.runs(name, "confirm"):
            return None
        self._asked.add(name)
        confirmed = self._with_models(state.record.confirmed(name))
        if not confirmed:
            return None
        best = self._with_models(state.record.best_trials(name, state.plan.settings.ensemble or 0))
        averaged = best if len(best) > 1 else []
        ensembles = {}
        if arm.arm.ensemble and len(confirmed) > 1:
            ensembles[f"{name}_ensemble"] = tuple(trial.trial for trial in confirmed)
        if averaged:
            ensembles[f"{name}_best_{len(averaged)}"] = tuple(trial.trial for trial in averaged)
        saved = {trial.trial: trial for trial in (*confirmed, *averaged)}
        role = "confirmed winners" if state.plan.seeds_of(arm) else "best trial by validation"
        reason = f"{role} of {name}" + (f", and its {len(averaged)} best of the search, averaged" if averaged else "")
        state.log.append(TestOpened(arm=name, trials=tuple(saved), reason=reason))
        return state.specs.test(arm, list(saved.values()), ensembles)

    def _with_models(self, trials: list[TrialRecord]) -> list[TrialRecord]:
        return [trial for trial in trials if self._state.specs.folder(trial.trial).is_dir()]

    def tell_result(self, spec: TrialSpec, result: dict[str, Any]) -> None:
        """Record the measurements of single models and ensembles on the test split.

        Args:
            spec: The test.
            result: Ray's result.
        """
        for measured in result.get("measured", ()):
            self._state.log.append(TestMeasured(arm=spec.arm, **measured))
        for averaged in result.get("ensembles", ()):
            role = self._state.record.trials[averaged["members"][0]].role
            self._state.log.append(EnsembleMeasured(arm=spec.arm, role=role, **averaged))
