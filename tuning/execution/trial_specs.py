"""The specifications of a study's trials, as workers receive them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from trainables.trial_spec import SavedModel, TrainingSpec, TrialSpec
from tuning.execution.pretraining import Pretrained
from tuning.plan.resources import worker_memory_bytes
from tuning.plan.study_plan import ArmPlan, StudyPlan
from tuning.records.study_paths import StudyPaths
from tuning.records.study_record import TrialRecord


class TrialSpecBuilder:
    """Builds the trial specifications of one study."""

    def __init__(self, plan: StudyPlan, store: Path, pretrained: Mapping[str, Pretrained]) -> None:
        self._plan, self._store, self.pretrained = plan, store.resolve(), pretrained

    def training(self, arm: ArmPlan, trial: TrialRecord, save_above: float | None) -> TrialSpec:
        """Specify a trial of the search, a confirmation, or a pre-training.

        Args:
            arm: The trial's arm.
            trial: The trial as it was asked for.
            save_above: See TrialSpec.
        """
        if trial.role == "pretrain":
            return self._pretraining(arm, trial)
        origin = self._plan.origin
        training = replace(self._training(arm, trial), goes_on_from=origin.path if origin else None)
        keep = trial.role == "confirm" or self._plan.searched_models(arm) > 0
        every = self._plan.kept_every(arm)
        return replace(
            self._spec(arm, trial, training),
            fold=trial.fold(self._plan.folds),
            checkpoint=self.folder(trial.trial) if keep else None,
            save_above=save_above,
            states=StudyPaths(self._plan.folder).states(trial.trial).resolve() if every else None,
            keep_every=every or 1,
        )

    def _pretraining(self, arm: ArmPlan, trial: TrialRecord) -> TrialSpec:
        pretrained = self.pretrained[arm.arm.name]
        training = replace(
            self._training(arm, trial),
            num_classes=len(pretrained.pretraining.dataset.classes),
            view=pretrained.pretraining.view,
            weights=self._given_weights(arm),
            freeze_points=(),
            arm_epochs=trial.max_epochs,
        )
        return replace(
            self._spec(arm, trial, training),
            store=pretrained.store.resolve(),
            checkpoint=self.folder(trial.trial),
            backbone=pretrained.weights,
        )

    def test(self, arm: ArmPlan, trials: Sequence[TrialRecord], ensembles: Mapping[str, tuple[str, ...]]) -> TrialSpec:
        """Specify the measurement of these trials' kept models on the test split.

        Args:
            arm: The trials' arm.
            trials: Whose models are measured.
            ensembles: Which of the trials are averaged, by row name.
        """
        folds = self._plan.folds
        saved = tuple(
            SavedModel(trial=trial.trial, folder=self.folder(trial.trial), config=trial.config, fold=trial.fold(folds))
            for trial in trials
        )
        spec = self._spec(arm, trials[0], self._training(arm, trials[0]))
        return replace(spec, trial=f"{arm.arm.name}-test", role="test", saved=saved, ensembles=dict(ensembles))

    def folder(self, trial: str) -> Path:
        """Return the folder of the trial's model. It is absolute, because Ray changes a worker's directory."""
        return StudyPaths(self._plan.folder).checkpoint(trial).folder.resolve()

    def _given_weights(self, arm: ArmPlan) -> Path | None:
        """Return the file of --weights for arms whose backbone trains: it has no top, which untrained arms need."""
        weights = self._plan.settings.weights
        return weights.resolve() if weights and arm.arm.trains and "backbone" in arm.arm.space.names else None

    def _training(self, arm: ArmPlan, trial: TrialRecord) -> TrainingSpec:
        plan, settings = self._plan, self._plan.settings
        pretrained = self.pretrained.get(arm.arm.name)
        return TrainingSpec(
            model=arm.arm.model,
            config=dict(trial.config),
            seed=trial.seed,
            max_epochs=trial.max_epochs,
            num_classes=len(plan.task.dataset.classes),
            view=arm.arm.view,
            target=plan.task.target,
            precision=settings.precision,
            weights=pretrained.weights if pretrained else self._given_weights(arm),
            memory_bytes=worker_memory_bytes(plan.share.slots),
            features=(settings.data_dir / "features").resolve(),
            features_bytes=int(settings.feature_cache * 1e9),
            freeze_points=arm.freeze_points,
            arm_epochs=plan.epochs_of(arm),
        )

    def _spec(self, arm: ArmPlan, trial: TrialRecord, training: TrainingSpec) -> TrialSpec:
        return TrialSpec(
            trial=trial.trial,
            arm=arm.arm.name,
            role=trial.role,
            task=self._plan.task.name,
            store=self._store,
            learner=arm.arm.learner,
            training=training,
            objective=self._plan.objective,
            threads=self._plan.share.threads,
            gpus=self._plan.share.gpus,
        )
