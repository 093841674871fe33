"""What a study does next. Arms take turns at equally many trials; then each arm's best is confirmed, then tested.

Knows Optuna and the event log, not Ray: whoever runs trials calls `ask`, `start`, `report`, and `end` or `lost`.
"""

from __future__ import annotations

import hashlib
import math
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import optuna

from search_spaces.axes import Config
from trainables.trial_spec import TrialSpec
from tuning.jobs import TrialSpecBuilder
from tuning.plan import GRID_POINTS, ArmPlan, StudyPlan
from tuning.pretraining import SEED as PRETRAINING_SEED
from tuning.pretraining import Pretrained
from tuning.records.event_log import EventLog
from tuning.records.events import (
    EnsembleMeasured,
    EpochEnded,
    Preparation,
    TestFailed,
    TestMeasured,
    TestOpened,
    TrialAsked,
    TrialEnded,
    TrialPrepared,
    TrialRestarted,
    TrialRole,
    TrialStarted,
    TrialStatus,
)
from tuning.records.study_record import StudyRecord
from tuning.samplers import make_sampler


class Finished:
    """Nothing is left to ask, nothing runs."""


@dataclass(kw_only=True)
class _Searching:
    """One arm's own Optuna study and what it still has to do."""

    plan: ArmPlan
    study: optuna.Study
    grid: list[Config]
    asked: int = 0
    confirmed: int = 0
    tested: bool = False


class Search:
    """Asks for trials and learns from them. Every decision is an event before it takes effect."""

    def __init__(
        self,
        plan: StudyPlan,
        log: EventLog,
        record: StudyRecord,
        store: Path,
        pretrained: Mapping[str, Pretrained] | None = None,
    ) -> None:
        """pretrained: by arm, what its trials start from."""
        self._plan, self._log, self._record = plan, log, record
        self._specs = TrialSpecBuilder(plan, store, pretrained or {})
        self._running: dict[str, TrialSpec] = {}
        self._again: list[TrialSpec] = []  # whose worker died before their first result
        self._learned: set[Path] = set()  # files that pre-trainings of this study have written
        self._losses: Counter[str] = Counter()  # workers that died under a trial
        self._optuna: dict[str, optuna.trial.Trial] = {}
        self._arms = {arm.arm.name: self._searching(arm) for arm in plan.arms}
        self.fatal: str | None = None

    def _searching(self, plan: ArmPlan) -> _Searching:
        settings = self._plan.settings
        sampler = make_sampler(settings.search, _arm_seed(settings.seed, plan.arm.name), plan.trials)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        direction: Literal["maximize", "minimize"] = (
            "maximize" if self._plan.objective.direction == "max" else "minimize"
        )
        study = optuna.create_study(sampler=sampler, direction=direction)
        grid: list[Config] = []
        if settings.search == "grid":
            grid = list(plan.arm.space.grid(GRID_POINTS))
            if len(grid) > plan.trials:  # spread over the whole grid, not its first corner
                grid = [grid[round(i * (len(grid) - 1) / max(plan.trials - 1, 1))] for i in range(plan.trials)]
        elif not plan.listed:
            for config in plan.arm.space.published[: plan.trials]:
                axes = {axis.name for axis in plan.arm.space.axes}
                study.enqueue_trial({name: value for name, value in config.items() if name in axes})
        return _Searching(plan=plan, study=study, grid=grid)

    def ask(self) -> TrialSpec | Finished | None:
        """The next trial; None while only running ones can tell; Finished at the end."""
        if self.fatal is not None:
            return Finished() if not self._running else None
        if len(self._running) >= self._plan.share.slots:
            return None
        spec = self._again.pop(0) if self._again else None
        spec = spec or self._next_pretraining() or self._next_search() or self._next_of_finished_arms()
        if spec is not None:
            self._running[spec.trial] = spec
            return spec
        return Finished() if not self._running else None

    def _next_pretraining(self) -> TrialSpec | None:
        """Before all else, since whole arms wait for it; once, where two arms wait for the same."""
        under_way = {spec.backbone for spec in (*self._running.values(), *self._again)}
        for arm, pretrained in self._specs.pretrained.items():
            if not self._has_learned(pretrained) and pretrained.weights not in under_way:
                epochs = pretrained.pretraining.epochs
                plan, trial = self._arms[arm].plan, f"{arm}-pretrain"
                return self._train(plan, trial, "pretrain", 0, pretrained.config, PRETRAINING_SEED, epochs)
        return None

    def _is_open(self, arm: _Searching) -> bool:
        """Whether a trial of it can be asked for now."""
        pretrained = self._specs.pretrained.get(arm.plan.arm.name)
        return arm.asked < arm.plan.trials and (pretrained is None or self._has_learned(pretrained))

    def _has_learned(self, pretrained: Pretrained) -> bool:
        """Told by its trial too: on a network disk a file that another machine wrote may show half a minute later."""
        return pretrained.weights in self._learned or pretrained.weights.exists()

    def _next_search(self) -> TrialSpec | None:
        """The arm with the fewest trials asked has the turn; the first of equals."""
        open_arms = [arm for arm in self._arms.values() if self._is_open(arm)]
        if not open_arms:
            return None
        arm = min(open_arms, key=lambda arm: arm.asked)
        number = arm.asked
        arm.asked += 1
        settings = self._plan.settings
        name = f"{arm.plan.arm.name}-{number:04d}"
        if arm.plan.listed:
            listed = arm.plan.listed[number]
            return self._train(arm.plan, name, "search", number, listed.config, listed.seed, listed.epochs)
        if arm.grid:
            arm.study.enqueue_trial({axis: arm.grid[number][axis] for axis in self._drawn(arm, arm.grid[number])})
        trial = arm.study.ask()
        config = arm.plan.arm.space.suggest(trial)
        self._optuna[name] = trial
        return self._train(arm.plan, name, "search", number, config, settings.seed, arm.plan.arm.max_epochs)

    @staticmethod
    def _drawn(arm: _Searching, config: Config) -> list[str]:
        return [axis.name for axis in arm.plan.arm.space.axes if axis.name in config]

    def _next_of_finished_arms(self) -> TrialSpec | None:
        """Confirmation, then the test split, of an arm whose search is over.

        It need not wait for its rivals' last trials, but those have been asked before: the slowest arm's search is the
        longest path through a study, and must not queue behind another arm's confirmation.
        """
        for arm in self._arms.values():
            name = arm.plan.arm.name
            if arm.asked < arm.plan.trials or self._runs(name, "search"):
                continue
            best = self._record.best_trial(name)
            if best is None:
                continue
            seeds = self._plan.seeds_of(arm.plan)
            if arm.confirmed < len(seeds):
                number, seed = arm.confirmed, seeds[arm.confirmed]
                arm.confirmed += 1
                return self._train(
                    arm.plan, f"{name}-confirm-{number}", "confirm", number, best.config, seed, best.max_epochs
                )
            if not arm.tested and not self._runs(name, "confirm"):
                arm.tested = True
                spec = self._test(arm.plan)
                if spec is not None:
                    return spec
        return None

    def _runs(self, arm: str, role: str) -> bool:
        return any(spec.arm == arm and spec.role == role for spec in self._running.values())

    def _train(
        self, plan: ArmPlan, trial: str, role: str, number: int, config: Config, seed: int, max_epochs: int
    ) -> TrialSpec:
        self._log.append(
            TrialAsked(
                trial=trial,
                arm=plan.arm.name,
                role=TrialRole(role),
                number=number,
                config=dict(config),
                seed=seed,
                max_epochs=max_epochs,
            )
        )
        kept = self._plan.searched_models(plan)
        best = self._record.best_trials(plan.arm.name, kept)
        least = best[-1].best if kept and len(best) == kept else None
        return self._specs.training(plan, self._record.trials[trial], least)

    def _test(self, plan: ArmPlan) -> TrialSpec | None:
        name = plan.arm.name
        confirmed = [trial for trial in self._record.confirmed(name) if self._specs.folder(trial.trial).is_dir()]
        if not confirmed:
            return None
        best = [
            trial
            for trial in self._record.best_trials(name, self._plan.settings.ensemble or 0)
            if self._specs.folder(trial.trial).is_dir()
        ]
        averaged = best if len(best) > 1 else []
        ensembles = {}
        if plan.arm.ensemble and len(confirmed) > 1:
            ensembles[f"{name}_ensemble"] = tuple(trial.trial for trial in confirmed)
        if averaged:
            ensembles[f"{name}_best_{len(averaged)}"] = tuple(trial.trial for trial in averaged)
        saved = {trial.trial: trial for trial in (*confirmed, *averaged)}
        role = "confirmed winners" if self._plan.seeds_of(plan) else "best trial by validation"
        reason = f"{role} of {name}" + (f", and its {len(averaged)} best of the search, averaged" if averaged else "")
        self._log.append(TestOpened(arm=name, trials=tuple(saved), reason=reason))
        return self._specs.test(plan, list(saved.values()), ensembles)

    def start(self, trial: str) -> None:
        """A worker has taken the trial up."""
        if self._running[trial].role != "test":
            self._log.append(TrialStarted(trial=trial))

    def report(self, trial: str, result: dict[str, Any]) -> None:
        """One epoch, or one measurement on the test split."""
        for measured in result.get("measured", ()):
            arm = self._running[trial].arm
            self._log.append(TestMeasured(arm=arm, **measured))
        for averaged in result.get("ensembles", ()):
            role = self._record.trials[averaged["members"][0]].role
            self._log.append(EnsembleMeasured(arm=self._running[trial].arm, role=role, **averaged))
        if "prepared" in result:
            self._log.append(TrialPrepared(trial=trial, facts=Preparation(**result["prepared"])))
        if "metrics" not in result:
            return
        self._log.append(
            EpochEnded(
                trial=trial,
                epoch=result["epoch"],
                metrics=result["metrics"],
                best=result["objective"],
                best_epoch=result["best_epoch"],
                seconds=result["seconds"],
            )
        )
        if trial in self._optuna:
            self._optuna[trial].report(result["objective"], step=result["epoch"])

    def lost(self, trial: str, reason: str) -> None:
        """The worker died. A trial that had no result yet is asked for again: it may not have been its fault.

        A worker that has grown too large ends itself there (see trainables/trial.py), and the trial may meet every
        other one that has: so it is asked for as often as there are workers.
        """
        spec = self._running[trial]
        self._losses[trial] += 1
        if spec.role == "test" or self._record.trials[trial].epochs or self._losses[trial] > self._plan.share.slots:
            self.end(trial, "failed", reason)
            return
        self._again.append(self._running.pop(trial))
        self._log.append(TrialRestarted(trial=trial, reason=reason))

    def end(self, trial: str, status: str, reason: str = "") -> None:
        """A trial is over: completed, stopped (early), infeasible, failed, or fatal for the whole study."""
        spec = self._running.pop(trial)
        if status == "fatal":
            self.fatal = f"{spec.arm}: {reason}" if self.fatal is None else self.fatal
            status = "failed"
        if spec.role == "test":
            if status != "completed":
                self._log.append(TestFailed(arm=spec.arm, reason=reason))
            return
        self._log.append(TrialEnded(trial=trial, status=TrialStatus(status), reason=reason))
        if spec.backbone is not None:
            if status == "completed":
                self._learned.add(spec.backbone)
            else:
                self.fatal = self.fatal or f"{spec.arm}: its backbone's pre-training {status}: {reason}"
        if spec.role == "search" and spec.checkpoint is not None:
            self._keep_best_models(spec.arm)
        drawn = self._optuna.pop(trial, None)
        if drawn is not None:
            self._tell(spec.arm, drawn, trial, status)

    def _keep_best_models(self, arm: str) -> None:
        """Disk stays bounded: of the ended search trials of an arm only the best keep their models."""
        best = self._record.best_trials(arm, self._plan.searched_models(self._arms[arm].plan))
        for trial in self._record.of_arm(arm, TrialRole.SEARCH):
            if trial.ended_time is not None and trial not in best:
                shutil.rmtree(self._specs.folder(trial.trial), ignore_errors=True)

    def _tell(self, arm: str, drawn: optuna.trial.Trial, trial: str, status: str) -> None:
        study = self._arms[arm].study
        value = self._record.trials[trial].best
        if status == "completed" and value is not None and math.isfinite(value):
            study.tell(drawn, value)
        elif status == "stopped":
            study.tell(drawn, state=optuna.trial.TrialState.PRUNED)
        else:
            study.tell(drawn, state=optuna.trial.TrialState.FAIL)

    def __getstate__(self) -> dict[str, Any]:
        """Ray pickles whatever it is given into its scratch folder, which nobody reads: events tell a study's state."""
        return {}

    @property
    def running(self) -> list[str]:
        return list(self._running)


def _arm_seed(seed: int, arm: str) -> int:
    """Arms draw from streams of their own, whatever other arms there are."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{arm}".encode()).digest()[:4], "big")
