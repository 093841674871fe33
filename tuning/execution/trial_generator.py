"""Next steps of a study: arms take turns in the search, then each arm's best is confirmed, then tested.

Optuna and the event log are used here, Ray is not: the caller that runs trials asks for them and reports on each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainables.trial_spec import TrialSpec
from tuning.execution.pretraining import Pretrained
from tuning.execution.search_phases import ConfirmPhase, PretrainPhase, SearchPhase, StudyState, TestPhase
from tuning.execution.trial_specs import TrialSpecBuilder
from tuning.plan.study_plan import StudyPlan
from tuning.records import events
from tuning.records.event_log import EventLog
from tuning.records.study_record import StudyRecord


class Finished:
    """End of a study: no trial is left to ask for, and none runs."""


class TrialGenerator:
    """Generator of a study's trials, which learns from them. Every decision is an event before it takes effect."""

    def __init__(
        self, plan: StudyPlan, log: EventLog, record: StudyRecord, store: Path, first: Mapping[str, Pretrained] = {}
    ) -> None:
        """first: by arm, the pre-training that its trials start from."""
        self._state = StudyState(plan=plan, log=log, record=record, specs=TrialSpecBuilder(plan, store, first))
        self.running = self._state.running
        self._losses: Counter[str] = Counter()  # workers that died under a trial
        self._pretrain = PretrainPhase(self._state)
        self._search = SearchPhase(self._state, self._pretrain)
        self._confirm, self._test = ConfirmPhase(self._state), TestPhase(self._state)
        self.fatal: str | None = None

    def ask(self) -> TrialSpec | Finished | None:
        """Return the next trial; None if that depends on running trials; Finished at the end of the study."""
        state = self._state
        spec = None
        if self.fatal is None:
            if len(state.running) >= state.plan.share.slots:
                return None
            spec = state.again.pop(0) if state.again else None
            spec = spec or self._pretrain.ask() or self._search.ask() or self._ask_of_searched_arms()
        if spec is None:
            return None if state.running else Finished()
        state.running[spec.trial] = spec
        return spec

    def _ask_of_searched_arms(self) -> TrialSpec | None:
        """Return a confirmation, then the test, of an arm whose search is over.

        A confirmation need not wait for the search of other arms, but search trials are asked first: the slowest arm's
        search is the longest path through a study, and must not queue behind another arm's confirmation.
        """
        for arm in self._state.plan.arms:
            if not self._search.is_over(arm.arm.name):
                continue
            best = self._state.record.best_trial(arm.arm.name)
            spec = (self._confirm.ask(arm, best) or self._test.ask(arm)) if best is not None else None
            if spec is not None:
                return spec
        return None

    def tell_started(self, trial: str) -> None:
        """Record that a worker has taken the trial up."""
        if self._state.running[trial].role != "test":
            self._state.log.append(events.TrialStarted(trial=trial))

    def tell_epoch(self, trial: str, result: dict[str, Any]) -> None:
        """Record one epoch, or one measurement on the test split.

        Args:
            trial: Name of the trial.
            result: Ray's result.
        """
        spec, log = self._state.running[trial], self._state.log
        self._test.tell_result(spec, result)
        if "prepared" in result:
            log.append(events.TrialPrepared(trial=trial, facts=events.Preparation(**result["prepared"])))
        if "metrics" not in result:
            return
        told = {name: result[name] for name in ("epoch", "metrics", "best_epoch", "seconds")}
        log.append(events.EpochEnded(trial=trial, best=result["objective"], **told))
        self._search.tell_epoch(spec, result)

    def tell_worker_died(self, trial: str, reason: str) -> None:
        """Ask again for a trial that had no result yet, since the fault may not be its own.

        A worker that has grown too large ends itself (trainables/ray_trainable.py), and the trial may meet every
        other such worker; it is therefore asked for as often as there are workers.

        Args:
            trial: Name of the trial.
            reason: Why the worker died.
        """
        state = self._state
        self._losses[trial] += 1
        tried = self._losses[trial] > state.plan.share.slots
        if state.running[trial].role == "test" or state.record.trials[trial].epochs or tried:
            self.tell_finished(trial, "failed", reason)
            return
        state.again.append(state.running.pop(trial))
        state.log.append(events.TrialRestarted(trial=trial, reason=reason))

    def tell_finished(self, trial: str, status: str, reason: str = "") -> None:
        """Record the end of a trial.

        Args:
            trial: Name of the trial.
            status: "completed", "stopped" (early), "infeasible", "failed", or "fatal" for the whole study.
            reason: Why it ended.
        """
        spec = self._state.running.pop(trial)
        if status == "fatal":
            self.fatal = f"{spec.arm}: {reason}" if self.fatal is None else self.fatal
            status = "failed"
        if spec.role == "test":
            if status != "completed":
                self._state.log.append(events.TestFailed(arm=spec.arm, reason=reason))
            return
        self._state.log.append(events.TrialEnded(trial=trial, status=events.TrialStatus(status), reason=reason))
        if spec.role == "pretrain":
            self.fatal = self.fatal or self._pretrain.tell_finished(spec, status, reason)
        if spec.role == "search":
            self._search.tell_finished(spec, status)

    def __getstate__(self) -> dict[str, Any]:
        """Return nothing: Ray pickles this object into its scratch folder, but the state lies in the events."""
        return {}
