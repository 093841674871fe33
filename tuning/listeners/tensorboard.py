"""TensorBoard's files of a study, derived from events: curves of every trial, and HParams with the best value.

tensorboardX, because writing with TensorFlow would import it (12 s) into the driver. Ray's own writer logs the last
value of a metric as a trial's result, and leaves sampled parameters out.
"""

from __future__ import annotations

from pathlib import Path

from tensorboardX import SummaryWriter
from tensorboardX.summary import hparams

from atomic_file import naming_path
from tuning.records.events import AnyEvent, EpochEnded, StudyStarted, TrialEnded
from tuning.records.header import AnyAxis, ChoiceAxis
from tuning.records.study_record import StudyRecord

SPLITS = ("train", "val")


class TensorBoardWriter:
    """One run a trial: accuracy/train and accuracy/val in one folder of scalars, best value at its end."""

    def __init__(self, folder: Path, record: StudyRecord) -> None:
        self._folder, self._record = folder, record
        self._writers: dict[str, SummaryWriter] = {}

    def apply(self, event: AnyEvent) -> None:
        with naming_path(self._folder):
            self._apply(event)

    def _apply(self, event: AnyEvent) -> None:
        if isinstance(event, StudyStarted):
            self._declare(event)
        elif isinstance(event, EpochEnded):
            writer = self._writer(event.trial)
            for name, value in event.metrics.items():
                if value is None:
                    continue
                split, _, metric = name.partition("_")
                tag = f"{metric}/{split}" if split in SPLITS else name
                writer.add_scalar(tag, value, event.epoch, walltime=event.time)
            writer.flush()
        elif isinstance(event, TrialEnded):
            self._end(event)

    def _declare(self, event: StudyStarted) -> None:
        """Write the columns of HParams once: TensorBoard takes them from one run, which had only its own arm's.

        The score and what was searched come first; what every trial of an arm has is left out.
        """
        searched = {axis.name: _example(axis) for arm in event.arms for axis in arm.axes}
        columns = {self._score: 0.0, "arm": "", **searched, "status": "", "role": "", "seed": 0}
        with SummaryWriter(str(self._folder)) as writer:
            writer.file_writer.add_summary(hparams(columns, {self._score: 0.0})[0], walltime=event.time)

    @property
    def _score(self) -> str:
        return f"best_{self._record.header.objective.metric}"

    def _end(self, event: TrialEnded) -> None:
        trial = self._record.trials[event.trial]
        metric, best = self._score, trial.best if trial.best is not None else float("nan")
        writer = self._writer(trial.trial)
        searched = {axis.name for axis in self._record.arm(trial.arm).axes}
        values = {name: value for name, value in trial.config.items() if name in searched}
        chosen = {metric: best, "arm": trial.arm, **values}
        chosen |= {"status": trial.status, "role": trial.role, "seed": trial.seed}
        _, *session = hparams(chosen, {metric: best})
        for summary in session:
            writer.file_writer.add_summary(summary, walltime=event.time)
        if trial.best is not None:
            writer.add_scalar(metric, trial.best, trial.best_epoch, walltime=event.time)
        self._writers.pop(trial.trial).close()

    def _writer(self, trial: str) -> SummaryWriter:
        if trial not in self._writers:
            self._writers[trial] = SummaryWriter(str(self._folder / trial))
        return self._writers[trial]

    def close(self) -> None:
        with naming_path(self._folder):
            for writer in self._writers.values():
                writer.close()


def _example(axis: AnyAxis) -> float | int | str | bool:
    """Return a value of the axis, which tells the type of its column."""
    example: float | int | str | bool = axis.values[0] if isinstance(axis, ChoiceAxis) else axis.low
    return example
