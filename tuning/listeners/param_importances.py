"""Importance of each axis of an arm, by Optuna's PED-ANOVA."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field

from tuning.records.events import TrialRole
from tuning.records.study_record import StudyRecord, TrialRecord

LEAST_TRIALS = 10  # PED-ANOVA looks at the best tenth: of fewer that is less than one trial
METHOD = "PED-ANOVA: what tells the best tenth of the trials from all of them (Watanabe et al., 2023)"


@dataclass(frozen=True, kw_only=True)
class Importances:
    """Importances of the axes of one arm."""

    arm: str
    trials: int  # finished or stopped ones, with a value: what it was computed from
    shares: Mapping[str, float] = field(default_factory=dict)  # by axis, from 0 to 1, 1 in all; the largest first
    reason: str = ""  # why there are none; empty where there are


def importances(record: StudyRecord, arm: str) -> Importances:
    """Compute importances over an arm's search.

    A stopped trial counts with its best value: without stopped trials only good ones would remain, and the question
    would be what separates the best from the good.

    Args:
        record: The study's record.
        arm: Name of the arm.
    """
    trials = [trial for trial in record.of_arm(arm, TrialRole.SEARCH) if trial.is_scored]
    varied = [name for name in (axis.name for axis in record.arm(arm).axes) if _varies(name, trials)]
    if len(trials) < LEAST_TRIALS:
        reason = f"too few trials: {len(trials)} have a value, {LEAST_TRIALS} are needed"
    elif not varied:
        reason = "no axis varied"
    else:
        shares = _ped_anova(record, trials, varied)
        if any(shares.values()):
            ordered = sorted(shares.items(), key=lambda share: -share[1])
            return Importances(arm=arm, trials=len(trials), shares=dict(ordered))
        reason = "no axis tells the best tenth of the trials from the others"
    return Importances(arm=arm, trials=len(trials), reason=reason)


def _varies(name: str, trials: list[TrialRecord]) -> bool:
    return len({repr(trial.config[name]) for trial in trials if name in trial.config}) > 1


def _ped_anova(record: StudyRecord, trials: list[TrialRecord], varied: list[str]) -> dict[str, float]:
    import optuna  # 0.7 s

    from tuning.listeners.optuna_storage import direction_of, frozen_trial

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction=direction_of(record.header.objective))
    frozen = [frozen_trial(record, trial) for trial in trials]
    for one in frozen:
        one.state = optuna.trial.TrialState.COMPLETE
    study.add_trials(frozen)
    with warnings.catch_warnings():  # that its interface may change, and that few trials say little
        warnings.simplefilter("ignore")
        return {
            name: float(share) for name, share in optuna.importance.get_param_importances(study, params=varied).items()
        }
