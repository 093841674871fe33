"""Progress of a running study, fed by events: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, OverflowMethod
from rich.live import Live
from rich.table import Table
from rich.text import Text

from errors import pluralize
from search_spaces.formatting import format_config
from tuning.plan.study_plan import ArmPlan, StudyPlan
from tuning.records.events import FAILED_STATUSES, AnyEvent, EpochEnded, TestFailed, TestOpened, TrialEnded, TrialRole
from tuning.records.study_record import StudyRecord, TrialRecord

LEFT_EVERY_SECONDS = 1.0  # the time left is a sum over all epochs: 17 ms with 20,000 of them


# What a trial does before its first epoch ends, by the phase that its worker told.
PHASES = {
    "import": "importing",
    "build": "building",
    "features": "computing features",
    "trace": "tracing",
    "train": "training",
    "validate": "validating",
}
CHANCE_METRICS = ("val_accuracy", "val_balanced_accuracy")


class Progress:
    """A listener of events, to be shown around the running study."""

    def __init__(
        self, console: Console, quiet: bool = False, phase_of: Callable[[str], str] = lambda trial: ""
    ) -> None:
        """Create the progress of a study that has not begun.

        Args:
            console: Where to show it.
            quiet: Whether to show nothing.
            phase_of: Returns what a trial does before its first epoch ends.
        """
        self._console, self._quiet, self._phase_of = console, quiet, phase_of
        self._began = time.monotonic()
        self._known_left, self._left_at = "", -math.inf

    def watch(self, record: StudyRecord, plan: StudyPlan) -> None:
        self._record, self._plan = record, plan

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Start the clock and, on a terminal, show the live table until the block ends."""
        self._began = time.monotonic()
        live = Live(self, console=self._console, refresh_per_second=2, transient=True)
        with live if self._console.is_terminal and not self._quiet else nullcontext():
            yield

    def apply(self, event: AnyEvent) -> None:
        line = self._line(event)
        if line is not None:
            self.tell(line)

    def tell(self, line: str) -> None:
        """Print a line above the table, or into the log."""
        if not self._quiet:
            whole = not self._console.is_terminal  # a terminal gets one line each
            overflow: OverflowMethod = "ignore" if whole else "ellipsis"
            self._console.print(line, highlight=False, markup=False, no_wrap=True, overflow=overflow, soft_wrap=whole)

    def _line(self, event: AnyEvent) -> str | None:
        """One line for what a reader of a log wants to know; epochs only where there is no live table."""
        if isinstance(event, TrialEnded):
            trial = self._record.trials[event.trial]
            return f"{self._clock()} {trial.trial}: {_ending(trial, self._metric)}  ({self._searched(trial)})"
        if isinstance(event, EpochEnded) and not self._console.is_terminal:
            trial = self._record.trials[event.trial]
            value = event.metrics.get(self._metric)
            return (
                f"{self._clock()} {trial.trial}: epoch {event.epoch}/{trial.max_epochs}, "
                f"{self._metric} {_number(value)}, {_duration(sum(event.seconds.values()))}; {self._left()}"
            )
        if isinstance(event, TestOpened):
            return f"{self._clock()} {event.arm}: test split opened for {', '.join(event.trials)}"
        if isinstance(event, TestFailed):
            return f"{self._clock()} {event.arm}: test failed: {event.reason}"
        return None

    @property
    def _metric(self) -> str:
        return self._record.header.objective.metric

    def _clock(self) -> str:
        return _duration(time.monotonic() - self._began).rjust(7)

    def __rich__(self) -> Group:
        return Group(self._arms_table(), self._running_table(), Text(self._left(), style="bold"))

    def _arms_table(self) -> Table:
        table = Table(title=f"{self._plan.task.name}/{self._plan.name}", title_justify="left", box=SIMPLE_HEAD)
        for heading in ("Arm", "Trials", "Stopped", "Bad", f"Best {self._metric}", "Confirmed"):
            table.add_column(heading, justify="left" if heading == "Arm" else "right")
        for arm in self._plan.arms:
            trials = self._record.of_arm(arm.arm.name, TrialRole.SEARCH)
            ended = [trial for trial in trials if trial.ended_time is not None]
            best = self._record.best_of(trial for trial in trials if trial.status not in FAILED_STATUSES)
            confirmed = [t for t in self._record.of_arm(arm.arm.name, TrialRole.CONFIRM) if t.status == "completed"]
            table.add_row(
                arm.arm.name,
                f"{len(ended)}/{arm.trials}",
                str(sum(trial.status == "stopped" for trial in ended)),
                str(sum(trial.status in FAILED_STATUSES for trial in ended)),
                self._marked(best.best if best else None),
                f"{len(confirmed)}/{len(self._plan.seeds_of(arm))}",
            )
        return table

    def _running_table(self) -> Table:
        table = Table(box=None, padding=(0, 1))
        for heading in ("Running", "Epoch", "Best", "Configuration"):
            whole = heading != "Configuration"  # which takes another line where it is long
            table.add_column(heading, justify="right" if heading in ("Epoch", "Best") else "left", no_wrap=whole)
        running = [trial for trial in list(self._record.trials.values()) if trial.ended_time is None]
        for trial in running:
            config = Text(self._searched(trial))
            phase = "" if trial.epochs else PHASES.get(self._phase_of(trial.trial), "")
            epochs = phase or f"{len(trial.epochs)}/{trial.max_epochs}"
            table.add_row(trial.trial, epochs, _number(trial.best), config)
        return table

    def _marked(self, best: float | None) -> str:
        """Return the score, marked if guessing would reach it: within two standard errors of one class in so many."""
        data, shown = self._record.header.data, _number(best)
        if best is None or self._metric not in CHANCE_METRICS or len(data.classes) < 2:
            return shown
        chance = 1 / len(data.classes)
        error = math.sqrt(chance * (1 - chance) / max(data.counts.get("val", 1), 1))
        return f"{shown} (chance)" if best <= chance + 2 * error else shown

    def _searched(self, trial: TrialRecord) -> str:
        """Return the settings in which the arm's trials differ."""
        [plan] = [arm for arm in self._plan.arms if arm.arm.name == trial.arm]
        differing = {axis.name for axis in plan.arm.space.axes if axis.size > 1}
        return format_config({name: value for name, value in trial.config.items() if name in differing})

    def _left(self) -> str:
        """Return the time left, at most one second old."""
        now = time.monotonic()
        if now - self._left_at >= LEFT_EVERY_SECONDS:
            self._known_left, self._left_at = self._time_left(), now
        return self._known_left

    def _time_left(self) -> str:
        """By what trials and epochs of each arm have cost so far; nothing before each arm's first epoch."""
        seconds = 0.0
        for arm in self._plan.arms:
            trials = [trial for trial in self._record.of_arm(arm.arm.name) if trial.role != "pretrain"]
            epochs = [sum(epoch.seconds.values()) for trial in trials for epoch in trial.epochs]
            if not epochs:
                return "time left: not known before the first epoch of each arm"
            seconds += self._epochs_left(arm) * sum(epochs) / len(epochs)
        return f"time left: about {_duration(seconds / self._plan.share.slots)}"

    def _epochs_left(self, arm: ArmPlan) -> float:
        """Estimate an arm's remaining epochs.

        A future search trial is expected to run as long as ended ones and as the rungs promise, weighted by the
        search's progress: the first trials run to the end, and their mean alone overestimated the time left
        threefold. A confirmation runs its budget.
        """
        name = arm.arm.name
        search = self._record.of_arm(name, TrialRole.SEARCH)
        ended = [len(trial.epochs) for trial in search if trial.ended_time is not None]
        promised = arm.expected_epochs(self._plan.reduction_factor, self._plan.early_stopping) / arm.trials
        each = (sum(ended) + (arm.trials - len(ended)) * promised) / arm.trials
        running = sum(max(1.0, each - len(trial.epochs)) for trial in search if trial.ended_time is None)
        confirmed = sum(len(trial.epochs) for trial in self._record.of_arm(name, TrialRole.CONFIRM))
        return (arm.trials - len(search)) * each + running + len(self._plan.seeds_of(arm)) * arm.full_epochs - confirmed


def _ending(trial: TrialRecord, metric: str) -> str:
    epochs = pluralize(len(trial.epochs), "epoch", "epochs")
    if trial.status in FAILED_STATUSES:
        return f"{trial.status} after {epochs}: {trial.reason}"
    word = "stopped early" if trial.status == "stopped" else "completed"
    return f"{word} after {epochs}, best {metric} {_number(trial.best)} at epoch {trial.best_epoch}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds // 60:.0f}m {seconds % 60:02.0f}s"
    return f"{seconds // 3600:.0f}h {seconds % 3600 // 60:02.0f}m"
