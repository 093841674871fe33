"""A machine that "trains" by formula: drives TrialGenerator and Ray's ASHA exactly as Ray Tune does, without Ray."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from datasets.dataset import Counts
from datasets.input_config import InputConfig
from datasets.synthetic.generated_images import GeneratedPictures
from search_spaces.parameters import CategoricalParameter, Condition, FloatParameter, fixed
from search_spaces.space import Space
from tasks.task import Arm, Column, Table, Task
from trainables.trial_spec import TrialSpec
from tuning.execution.pretraining import Pretrained
from tuning.execution.ray_callbacks import PerArmASHA
from tuning.execution.trial_generator import Finished, TrialGenerator
from tuning.listeners.optuna_storage import OptunaDatabase
from tuning.plan.make_plan import make_plan
from tuning.plan.resources import Share
from tuning.plan.settings import StudySettings
from tuning.plan.study_plan import StudyPlan, axis_header
from tuning.records.event_log import EventLog
from tuning.records.events import StudyEnded, StudyStarted, StudyStatus
from tuning.records.header import ArmHeader
from tuning.records.study_paths import EVENTS
from tuning.records.study_record import StudyRecord

SPACE = Space(
    parameters=(
        *fixed(batch_size=32),
        FloatParameter(name="quality", low=0.0, high=1.0, source="test"),
        CategoricalParameter(name="optimizer", values=("adam", "sgd"), source="test"),
        FloatParameter(
            name="momentum", low=0.8, high=0.95, when=Condition(parameter="optimizer", values=("sgd",)), source="test"
        ),
    ),
    published=({"quality": 0.25, "optimizer": "adam"},),
)


def simulated_task(max_epochs: int) -> Task:
    return Task(
        name="simulated",
        title="Which curve?",
        source="test",
        dataset=GeneratedPictures(
            name="simulated", title="none", classes=("a", "b"), counts=Counts(train=1, val=1, test=1), side=8, seed=0
        ),
        arms=tuple(
            Arm(name=name, label=name, model="none", space=SPACE, view=InputConfig(image_size=8), max_epochs=max_epochs)
            for name in ("slow", "fast")
        ),
        tables=(Table(name="t", title="t", columns=(Column(field="test_accuracy", heading="Test"),)),),
    )


def simulated_plan(
    folder: Path,
    *,
    trials: int | None,
    max_epochs: int,
    confirm_seeds: int | None = 1,
    slots: int = 2,
    seed: int = 0,
    search: Any = "optuna",
    **more: Any,
) -> StudyPlan:
    settings = StudySettings(
        results=folder, data_dir=folder, trials=trials, confirm_seeds=confirm_seeds, seed=seed, search=search, **more
    )
    plan = make_plan(simulated_task(max_epochs), settings, Share(slots=slots, cpus=1.0, gpus=0.0), "study")
    plan.folder.mkdir(parents=True, exist_ok=True)
    return plan


def study_started(plan: StudyPlan) -> StudyStarted:
    """The least that a header holds."""
    return StudyStarted(
        task=plan.task.name,
        study=plan.name,
        objective=plan.objective,
        arms=tuple(
            ArmHeader(name=arm.arm.name, axes=tuple(axis_header(axis) for axis in arm.arm.space.axes))
            for arm in plan.arms
        ),
    )


class _RayTrial:
    """What ASHA reads of Ray's Trial."""

    placement_group_factory = "a worker's share"

    def __init__(self, spec: TrialSpec) -> None:
        self.trial_id = spec.trial
        self.config = {"spec": spec}


class RayController:
    """What PerArmASHA asks of Ray's controller: how many idle workers to keep, for which share."""

    def __init__(self) -> None:
        self._actor_cache = self
        self.kept: list[tuple[object, int]] = []

    def increase_max(self, share: object, by: int) -> None:
        self.kept.append((share, by))


class SimulatedMachine:
    """Runs every asked trial an epoch at a time, in turn, until the TrialGenerator is finished."""

    def __init__(
        self,
        plan: StudyPlan,
        folder: Path,
        curve: Callable[[str, float, int], float] = lambda arm, quality, epoch: quality * epoch / (epoch + 1),
        infeasible: tuple[str, ...] = (),
        fatal: dict[str, str] | None = None,
        dies: tuple[str, ...] = (),
        database: bool = False,
        pretrained: Mapping[str, Pretrained] | None = None,
    ) -> None:
        self.plan, self._curve, self._infeasible, self._fatal = plan, curve, infeasible, fatal or {}
        self._dies = set(dies)  # whose worker dies before the first epoch, once
        self.record = StudyRecord()
        self._log = EventLog(plan.folder / EVENTS)
        self._log.listen(self.record.apply)
        if database:  # 35 ms a trial
            self._log.listen(OptunaDatabase(plan.folder / "optuna.db", self.record).apply)
        self._log.append(study_started(plan))
        self.search = TrialGenerator(plan, self._log, self.record, folder / "store.h5", pretrained)
        self._stopping = PerArmASHA(plan)
        self.controller = RayController()
        self.asked: list[str] = []
        self.specs: list[TrialSpec] = []
        self.most_at_once = 0

    def run(self) -> None:
        live: list[tuple[TrialSpec, _RayTrial, int, float | None]] = []
        while True:
            spec = self.search.ask()
            if isinstance(spec, TrialSpec):
                trial = _RayTrial(spec)
                self.asked.append(spec.trial)
                self.specs.append(spec)
                self._stopping.on_trial_add(self.controller, trial)  # type: ignore[arg-type]
                self.search.tell_started(spec.trial)
                live.append((spec, trial, 0, None))
                self.most_at_once = max(self.most_at_once, len(live))
                continue
            if isinstance(spec, Finished):
                break
            live = [state for state in (self._step(*state) for state in live) if state is not None]
        self._log.append(StudyEnded(status=StudyStatus.COMPLETED))
        self._log.close()

    def _step(
        self, spec: TrialSpec, trial: _RayTrial, epoch: int, best: float | None
    ) -> tuple[TrialSpec, _RayTrial, int, float | None] | None:
        if spec.role == "test":
            measured = [
                {"trial": saved.trial, "metrics": {"test_accuracy": 0.5}, "facts": {"parameters": 1}}
                for saved in spec.saved
            ]
            ensembles = [
                {"name": name, "members": list(members), "metrics": {"test_accuracy": 0.625}}
                for name, members in spec.ensembles.items()
            ]
            self.search.tell_epoch(spec.trial, {"measured": measured, "ensembles": ensembles, "done": True})
            self.search.tell_finished(spec.trial, "completed")
            return None
        if spec.trial in self._dies:
            self._dies.remove(spec.trial)
            self.search.tell_worker_died(spec.trial, "the worker died")
            return None
        if spec.trial in self._fatal:
            self.search.tell_finished(spec.trial, "fatal", self._fatal[spec.trial])
            return None
        if spec.trial in self._infeasible:
            self.search.tell_finished(spec.trial, "infeasible", "loss is nan")
            return None
        epoch += 1
        value = self._curve(spec.arm, float(spec.training.config["quality"]), epoch)
        best = value if best is None else max(best, value)
        if spec.checkpoint is not None:
            spec.checkpoint.mkdir(parents=True, exist_ok=True)
        result = {
            "epoch": epoch,
            "metrics": {"val_accuracy": value, "val_loss": 1 - value},
            "objective": best,
            "best_epoch": epoch,
            "seconds": {"train": 1.0},
        }
        finished = epoch >= spec.training.max_epochs
        if finished and spec.backbone is not None:
            spec.backbone.touch()
        decision = "STOP" if finished else self._stopping.on_trial_result(None, trial, result)  # type: ignore[arg-type]
        self.search.tell_epoch(spec.trial, result)
        if finished or decision == "STOP":
            self._stopping.on_trial_complete(None, trial, result)  # type: ignore[arg-type]
            self.search.tell_finished(spec.trial, "completed" if finished else "stopped")
            return None
        return spec, trial, epoch, best
