"""`optuna.db`: the study as Optuna's dashboard and importances read it. Derived from events, trial by trial.

Ray's own OptunaSearch would record stopped trials as complete with their last value, and name every study "optuna".
"""

from __future__ import annotations

import errno
import warnings
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy import URL

from search_spaces.objective import Objective
from tuning.records.events import AnyEvent, StudyStarted, TrialEnded
from tuning.records.header import AnyAxis, ChoiceAxis, IntAxis
from tuning.records.study_record import StudyRecord, TrialRecord


class OptunaDatabase:
    """Adds each search trial as it ends. One Optuna study per arm, named task/study/arm."""

    def __init__(self, path: Path, record: StudyRecord) -> None:
        self._path, self._record = path, record
        self._studies: dict[str, optuna.Study] = {}

    def apply(self, event: AnyEvent) -> None:
        if isinstance(event, StudyStarted):
            self._create()
        elif isinstance(event, TrialEnded):
            trial = self._record.trials[event.trial]
            if trial.role == "search":
                try:
                    self._studies[trial.arm].add_trial(frozen_trial(self._record, trial))
                except optuna.exceptions.StorageInternalError as error:  # SQLite's word for a full disk
                    raise OSError(
                        errno.EIO, "cannot be written any more; is the disk full?", str(self._path)
                    ) from error

    def _create(self) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        header = self._record.header
        url = URL.create("sqlite", database=str(self._path.resolve()))  # escapes "?" and "%" of a folder's name
        storage = optuna.storages.RDBStorage(url.render_as_string())
        for arm in self._record.arms:
            name, direction = f"{header.task}/{header.study}/{arm.name}", direction_of(header.objective)
            study = optuna.create_study(study_name=name, storage=storage, direction=direction)
            study.set_user_attr("label", arm.label)
            with warnings.catch_warnings():  # its interface may change; the dashboard then shows "Objective Value"
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                study.set_metric_names([header.objective.metric])
            self._studies[arm.name] = study


def direction_of(objective: Objective) -> Literal["maximize", "minimize"]:
    """Return the objective's direction in Optuna's words."""
    return "maximize" if objective.maximizes else "minimize"


def frozen_trial(record: StudyRecord, trial: TrialRecord) -> FrozenTrial:
    """Return the trial as Optuna's: COMPLETE with its best value, PRUNED, or FAIL, with its values at each epoch.

    Args:
        record: The study's record.
        trial: The trial.
    """
    axes = {axis.name: axis for axis in record.arm(trial.arm).axes}
    params = {name: value for name, value in trial.config.items() if name in axes}
    state = {"completed": TrialState.COMPLETE, "stopped": TrialState.PRUNED}.get(trial.status, TrialState.FAIL)
    attributes: dict[str, Any] = {"trial": trial.trial, "seed": trial.seed, "best_epoch": trial.best_epoch}
    if trial.reason:
        attributes["infeasible" if trial.status == "infeasible" else "reason"] = trial.reason
    frozen = create_trial(
        state=state,
        value=trial.best if state is not TrialState.FAIL else None,
        params=params,
        distributions={name: distribution(axes[name], params[name]) for name in params},
        user_attrs=attributes,
        intermediate_values={epoch.epoch: epoch.best for epoch in trial.epochs if epoch.best is not None},
    )
    frozen.datetime_start = datetime.fromtimestamp(trial.started_time or trial.asked_time)
    frozen.datetime_complete = datetime.fromtimestamp(trial.ended_time or trial.asked_time)
    return frozen


def distribution(axis: AnyAxis, value: Any) -> BaseDistribution:
    """Return Optuna's distribution of an axis, widened by a listed value outside the searched range.

    Optuna requires the same choices in all trials of a study; they are therefore all that `--configs` could list.

    Args:
        axis: The axis as recorded.
        value: The trial's value.
    """
    if isinstance(axis, ChoiceAxis):
        return CategoricalDistribution(list(dict.fromkeys([*axis.values, *axis.allowed])))
    if isinstance(axis, IntAxis):
        return IntDistribution(min(axis.low, value), max(axis.high, value), log=axis.log)
    return FloatDistribution(min(axis.low, value), max(axis.high, value), log=axis.log)
