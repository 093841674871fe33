"""One run of one system: started cold, measured, and read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.peers.peer_config import Job
from benchmarks.process_tree import Measurement, busy_cores, measure
from benchmarks.run_order import Planned
from benchmarks.systems import PODIUM, SYSTEMS, command, environment
from benchmarks.time_breakdown import break_down
from benchmarks.workloads import SLOTS, Workload

CHECKOUT = Path(__file__).resolve().parents[1]
ERROR_LINES = 30
TIMELINE = ("trial_asked", "trial_started", "trial_prepared", "epoch", "trial_ended", "test_opened", "test_measured")


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run as it is written to the file of results."""

    workload: str
    system: str
    trials: int
    round: int
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_bytes: int = 0
    val_accuracy: list[list[float]] = field(default_factory=list)  # a list a trial, a value an epoch
    trial_seconds: list[float] = field(default_factory=list)  # of each trial, as its own system sees it
    processes: int = 0
    left_over: int = 0
    sampler_seconds: float = 0.0
    busy_before: float = 0.0  # cores at work just before it started: other people's
    breakdown: dict[str, float] | None = None  # slot-seconds; of this project alone
    timeline: list[dict[str, Any]] = field(default_factory=list)  # its events, without what is large
    error: str | None = None


def execute(workload: Workload, planned: Planned, material: Path, scratch: Path, cores: Sequence[int]) -> Run:
    """Run a system on a workload; a failed run is returned with its error.

    Args:
        workload: The workload.
        planned: System, trials and round.
        material: Folder filled by prepare_inputs.
        scratch: Folder of the run; emptied before and removed after it.
        cores: Processor numbers the run may use.
    """
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    job = Job(
        workload=workload, trials=planned.trials, material=material, out=scratch / "trials.jsonl", scratch=scratch
    )
    log = scratch / "log"
    busy = busy_cores()
    try:
        measured = measure(
            command(SYSTEMS[planned.system], job),
            folder=CHECKOUT,
            log=log,
            environment=environment(CHECKOUT, scratch),
            cores=cores,
        )
    except TimeoutError as error:
        return Run(workload=workload.key, **asdict(planned), error=str(error))
    events = _events(scratch) if planned.system == PODIUM else []
    trials = _trials_of_events(events) if planned.system == PODIUM else _trials_of_lines(job.out)
    run = Run(
        workload=workload.key,
        **asdict(planned),
        wall_seconds=round(measured.wall_seconds, 3),
        cpu_seconds=round(measured.cpu_seconds, 2),
        peak_bytes=measured.peak_bytes,
        val_accuracy=[trials[index][0] for index in sorted(trials)],
        trial_seconds=[trials[index][1] for index in sorted(trials)],
        processes=measured.processes,
        left_over=measured.left_over,
        sampler_seconds=round(measured.sampler_seconds, 2),
        busy_before=round(busy, 2),
        breakdown=_breakdown(events, measured) if planned.system == PODIUM else None,
        timeline=[_without_bulk(event) for event in events if event["event"] in TIMELINE],
        error=_error(measured, trials, job, log),
    )
    shutil.rmtree(scratch, ignore_errors=True)
    return run


def _error(measured: Measurement, trials: dict[int, tuple[list[float], float]], job: Job, log: Path) -> str | None:
    whole = {index for index, (values, _) in trials.items() if len(values) == job.workload.epochs}
    if measured.exit_status == 0 and whole == set(range(job.trials)):
        return None
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-ERROR_LINES:])
    return f"exit status {measured.exit_status}, {len(whole)} of {job.trials} trials whole\n{tail}"


def _trials_of_lines(path: Path) -> dict[int, tuple[list[float], float]]:
    """Return validation accuracies and seconds by trial."""
    lines = path.read_text().splitlines() if path.exists() else []
    entries = [json.loads(line) for line in lines]
    return {entry["index"]: (entry["val_accuracy"], entry["seconds"]) for entry in entries}


def _trials_of_events(events: list[dict[str, Any]]) -> dict[int, tuple[list[float], float]]:
    times = {(event["event"], event["trial"]): event["time"] for event in events if "trial" in event}
    trials = {}
    for number, trial in ((event["number"], event["trial"]) for event in events if event["event"] == "trial_asked"):
        epochs = [event for event in events if event["event"] == "epoch" and event["trial"] == trial]
        ended = times.get(("trial_ended", trial), 0.0)
        seconds = round(ended - times.get(("trial_started", trial), ended), 3) if ended else 0.0
        trials[number] = ([event["metrics"]["val_accuracy"] for event in epochs], seconds)
    return trials


def _breakdown(events: list[dict[str, Any]], measured: Measurement) -> dict[str, float] | None:
    if not events:
        return None
    found = break_down(events, started=measured.started, ended=measured.ended, slots=SLOTS)
    return {name: round(spent, 3) for name, spent in found.items()}


def _events(scratch: Path) -> list[dict[str, Any]]:
    """tuning.records.events reads them too, but this needs nothing of the application."""
    paths = list(scratch.glob("results/*/*/events.jsonl"))
    lines = paths[0].read_bytes().splitlines(keepends=True) if paths else []
    return [json.loads(line) for line in lines if line.endswith(b"\n")]


def _without_bulk(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in ("metrics", "config", "arm", "role")}
