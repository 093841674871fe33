"""From what a study decides to what a worker is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from search_spaces.axes import Config
from trainables.job import Job, SavedModel
from tuning.going_on import GOES_ON
from tuning.plan import ArmPlan, StudyPlan
from tuning.pretraining import Pretrained
from tuning.records.study_paths import StudyPaths
from tuning.records.study_record import TrialRecord
from tuning.resources import worker_memory_bytes


class Jobs:
    """The jobs of one study."""

    def __init__(self, plan: StudyPlan, store: Path, pretrained: Mapping[str, Pretrained]) -> None:
        self._plan, self._store, self.pretrained = plan, store, pretrained

    def training(self, arm: ArmPlan, trial: TrialRecord, save_above: float | None) -> Job:
        """A trial of the search, a confirmation, or a pre-training. save_above: see Job."""
        if trial.role == "pretrain":
            return self._pretraining(arm, trial)
        job = self._job(arm, trial.trial, trial.role, trial.config, trial.seed, trial.max_epochs)
        keep = trial.role == "confirm" or self._plan.searched_models(arm) > 0
        return replace(
            job,
            fold=trial.fold(self._plan.folds),
            checkpoint=str(self.folder(trial.trial)) if keep else None,
            save_above=save_above,
            goes_on_from=str(self._plan.origin.path) if self._plan.origin else None,
            **self._kept_states(arm, trial.trial),
        )

    def _kept_states(self, arm: ArmPlan, trial: str) -> dict[str, Any]:
        every = self._plan.settings.keep_epochs
        if every is None or arm.arm.learner != GOES_ON:
            return {}
        return {"states": str(StudyPaths(self._plan.folder).states(trial).resolve()), "keep_every": every}

    def _pretraining(self, arm: ArmPlan, trial: TrialRecord) -> Job:
        pretrained = self.pretrained[arm.arm.name]
        return replace(
            self._job(arm, trial.trial, trial.role, trial.config, trial.seed, trial.max_epochs),
            store=str(pretrained.store.resolve()),
            view=asdict(pretrained.pretraining.view),
            weights=self._given_weights(arm),
            freeze_points=(),
            arm_epochs=trial.max_epochs,
            checkpoint=str(self.folder(trial.trial)),
            backbone=str(pretrained.weights),
        )

    def test(self, arm: ArmPlan, trials: Sequence[TrialRecord], ensembles: Mapping[str, tuple[str, ...]]) -> Job:
        """The saved models of these trials meet the test split. ensembles: which of them are averaged, by row."""
        saved = tuple(
            SavedModel(
                trial=trial.trial,
                folder=str(self.folder(trial.trial)),
                config=trial.config,
                fold=trial.fold(self._plan.folds),
            )
            for trial in trials
        )
        first = trials[0]
        job = self._job(arm, f"{arm.arm.name}-test", "test", first.config, first.seed, first.max_epochs)
        return replace(job, saved=saved, ensembles=dict(ensembles))

    def folder(self, trial: str) -> Path:
        """Of its model. Absolute, because Ray changes a worker's directory."""
        return StudyPaths(self._plan.folder).checkpoint(trial).folder.resolve()

    def _given_weights(self, arm: ArmPlan) -> str | None:
        """What --weights names is a backbone without its top; as it comes, a network has one."""
        weights = self._plan.settings.weights
        return str(weights.resolve()) if weights and arm.arm.trains and "backbone" in arm.arm.space.names else None

    def _job(self, arm: ArmPlan, trial: str, role: str, config: Config, seed: int, max_epochs: int) -> Job:
        plan, settings, share = self._plan, self._plan.settings, self._plan.share
        pretrained = self.pretrained.get(arm.arm.name)
        return Job(
            trial=trial,
            arm=arm.arm.name,
            role=role,
            task=plan.task.name,
            store=str(self._store.resolve()),
            learner=arm.arm.learner,
            model=arm.arm.model,
            config=dict(config),
            seed=seed,
            max_epochs=max_epochs,
            view=asdict(arm.arm.view),
            target=plan.task.target,
            objective=plan.objective.metric,
            direction=plan.objective.direction,
            precision=settings.precision,
            weights=str(pretrained.weights) if pretrained else self._given_weights(arm),
            threads=share.threads,
            gpus=share.gpus,
            memory_bytes=worker_memory_bytes(share.slots),
            features=str((settings.data_dir / "features").resolve()),
            features_bytes=int(settings.feature_cache * 1e9),
            freeze_points=arm.freeze_points,
            arm_epochs=plan.epochs_of(arm),
        )
