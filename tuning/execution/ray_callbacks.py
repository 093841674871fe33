"""The objects Ray Tune wants, each a thin shell: what to run, what to stop, what happened."""

from __future__ import annotations

import importlib
import itertools
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import ray
from ray import cloudpickle
from ray.exceptions import RayActorError
from ray.tune import Callback, Stopper
from ray.tune.experiment import Trial as RayTrial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from trainables.trial_spec import TrialSpec
from tuning.execution.trial_generator import Finished, TrialGenerator
from tuning.plan.command_line import name_options
from tuning.plan.study_plan import StudyPlan

WAIT_SECONDS = 60.0  # without a running trial, before a line says what is waited for, and between two such lines
# A batch system sends SIGTERM, a terminal that is closed SIGHUP.
INTERRUPTIONS = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM", signal.SIGHUP: "SIGHUP"}


class SearchAdapter(Searcher):
    """Ray's searcher on TrialGenerator; results come to it through EventCallback, which also sees stopped trials."""

    def __init__(self, search: TrialGenerator, stop: StudyStopper) -> None:
        super().__init__()
        self._search, self._stop = search, stop

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        spec = None
        with self._stop.keeping_failures():
            spec = self._search.ask()
        if isinstance(spec, Finished):
            return str(Searcher.FINISHED)
        return None if spec is None else {"spec": spec}

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Do nothing; EventCallback reports ends.

        Args:
            trial_id: Name of the trial.
            result: Last result.
            error: Whether it failed.
        """

    def save(self, checkpoint_path: str) -> None:
        """Do nothing: a study's state is in its events, not in Ray's pickles.

        Args:
            checkpoint_path: Not used.
        """

    def restore(self, checkpoint_path: str) -> None:
        """Do nothing; see save.

        Args:
            checkpoint_path: Not used.
        """


class PerArmStopping(FIFOScheduler):
    """Scheduler with one stopping rule for each arm, so that arms do not stop each other's trials.

    Only search trials are stopped; listed configurations are not.
    """

    def __init__(self, plan: StudyPlan) -> None:
        super().__init__()
        self._slots, self._keeps_workers = plan.share.slots, False
        self._study = f"{plan.task.name}/{plan.name}"
        self._unstopped = FIFOScheduler()
        rule = importlib.import_module(f"tuning.stopping.{plan.stopping_rule}")
        self._arms: dict[str, TrialScheduler] = {
            arm.arm.name: rule.create(plan.objective, arm.arm.max_epochs, arm.arm.grace_epochs, plan.reduction_factor)
            for arm in plan.arms
        }

    def _of(self, trial: RayTrial) -> TrialScheduler:
        spec: TrialSpec = trial.config["spec"]
        return self._arms[spec.arm] if spec.role == "search" else self._unstopped

    def on_trial_add(self, tune_controller: Any, trial: RayTrial) -> None:
        # Ray 2.60 keeps one idle worker and ends the others. Those that wait for an arm's last trial would be gone when
        # its confirmations start, with all they have built: half a minute each.
        if not self._keeps_workers:
            self._keeps_workers = True
            _name_workers(tune_controller._class_cache, self._study)
            tune_controller._actor_cache.increase_max(trial.placement_group_factory, by=self._slots)
        self._of(trial).on_trial_add(tune_controller, trial)

    def on_trial_result(self, tune_controller: Any, trial: RayTrial, result: dict[str, Any]) -> str:
        return str(self._of(trial).on_trial_result(tune_controller, trial, result))

    def on_trial_complete(self, tune_controller: Any, trial: RayTrial, result: dict[str, Any]) -> None:
        self._of(trial).on_trial_complete(tune_controller, trial, result)

    def on_trial_remove(self, tune_controller: Any, trial: RayTrial) -> None:
        self._of(trial).on_trial_remove(tune_controller, trial)


def _name_workers(cache: Any, study: str) -> None:
    """Let Tune's cache of actor classes give each worker a name in Ray's dashboard, whose column is else empty."""
    unnamed, numbers = cache.get, itertools.count(1)

    def named(trainable_cls: type) -> Any:
        environment = unnamed(trainable_cls)._default_options["runtime_env"]
        return ray.remote(runtime_env=environment, name=f"{study} worker {next(numbers)}")(trainable_cls)

    cache.get = named


class StudyStopper(Stopper):
    """Stopper that ends a study at Ctrl-C, at SIGTERM (a batch system's time limit), or when no arm can work.

    A KeyboardInterrupt may hit Ray while it handles a result: once in ten runs the result was lost and Ray waited for
    ever. A first Ctrl-C therefore only sets a flag, which Ray checks in its loop.
    """

    def __init__(self, search: TrialGenerator) -> None:
        self._search = search
        self.interrupted = ""  # by what
        self.failure: OSError | None = None  # of a disk that is full or gone

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        return bool(self.interrupted) or self.failure is not None or self._search.fatal is not None

    @contextmanager
    def keeping_failures(self) -> Iterator[None]:
        """Keep a failed write, which ends the study; raised through Ray it would print a page of text."""
        try:
            yield
        except OSError as error:
            self.failure = self.failure or error

    @contextmanager
    def watching(self) -> Iterator[None]:
        """While inside, the first of these signals sets the flag; a second one does not wait."""
        before = {number: signal.getsignal(number) for number in INTERRUPTIONS}

        def restore() -> None:
            for number, handler in before.items():
                signal.signal(number, handler)

        def note(number: int, frame: FrameType | None) -> None:
            self.interrupted = INTERRUPTIONS[signal.Signals(number)]
            restore()

        for number in INTERRUPTIONS:
            signal.signal(number, note)
        try:
            yield
        finally:
            restore()


class EventCallback(Callback):
    """Hears everything that happens to trials, in order, and hands it to the TrialGenerator."""

    def __init__(self, search: TrialGenerator, stop: StudyStopper, tell: Callable[[str], None]) -> None:
        """Create the callback.

        Args:
            search: Told of every event.
            stop: Keeps failed writes.
            tell: Called with a line for the user.
        """
        self._search, self._stop, self._tell = search, stop, tell
        self._waits_since: float | None = None  # when trials began to wait while none runs

    def __getstate__(self) -> dict[str, Any]:
        """Return nothing: Ray pickles callbacks into its scratch folder, and a terminal cannot be pickled."""
        return {}

    def on_step_begin(self, iteration: int, trials: list[RayTrial], **info: Any) -> None:
        """Say what a study waits for: on a cluster that is busy, or still starts machines, that may be hours.

        Args:
            iteration: Not used.
            trials: All trials of the study.
            info: Not used.
        """
        waiting = [trial for trial in trials if trial.status == RayTrial.PENDING]
        if not waiting or any(trial.status == RayTrial.RUNNING for trial in trials):
            self._waits_since = None
            return
        now = time.monotonic()
        self._waits_since = self._waits_since or now
        if now - self._waits_since >= WAIT_SECONDS:
            self._waits_since = now
            needed = waiting[0].placement_group_factory.required_resources
            self._tell(f"waiting for {_spelled(needed)}: the cluster has {_spelled(ray.available_resources())} free")

    def on_trial_start(self, iteration: int, trials: list[RayTrial], trial: RayTrial, **info: Any) -> None:
        with self._stop.keeping_failures():
            self._search.tell_started(trial.config["spec"].trial)

    def on_trial_result(
        self, iteration: int, trials: list[RayTrial], trial: RayTrial, result: dict[str, Any], **info: Any
    ) -> None:
        name = trial.config["spec"].trial
        with self._stop.keeping_failures():
            self._search.tell_epoch(name, result)
            if result.get("done"):
                # The trainable says how it ended; where it says nothing, early stopping ended it.
                early = "" if "status" in result else f"early stopping at epoch {result['epoch']}"
                status, reason = result.get("status", "stopped"), name_options(result.get("reason", early))
                self._search.tell_finished(name, status, reason)

    def on_trial_error(self, iteration: int, trials: list[RayTrial], trial: RayTrial, **info: Any) -> None:
        name = trial.config["spec"].trial
        if name in self._search.running:
            with self._stop.keeping_failures():
                died, reason = cause_of_error(trial)
                if died:
                    self._search.tell_worker_died(name, reason)
                else:
                    self._search.tell_finished(name, "failed", reason)


def _spelled(resources: Mapping[str, float]) -> str:
    """Return cores and GPUs in words: "2 cores, 0.5 GPUs"."""
    return f"{resources.get('CPU', 0):g} cores, {resources.get('GPU', 0):g} GPUs"


def cause_of_error(trial: RayTrial) -> tuple[bool, str]:
    """Whether the trial's worker died, and what went wrong in one line.

    Read where Ray has just written it: Trial.get_error looks into the folder of results, where it is not yet.
    """
    try:
        error = cloudpickle.loads(Path(str(trial.pickled_error_file)).read_bytes())
    except Exception as unread:  # an exception of a class that only the worker has, or no file at all
        return False, f"it failed, and why cannot be read ({type(unread).__name__})"
    if isinstance(error, RayActorError):
        return True, "the worker died"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]  # the traceback; its last line says what
    return False, lines[-1][:500] if lines else type(error).__name__
