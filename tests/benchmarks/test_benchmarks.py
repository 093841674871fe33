"""The benchmark's own arithmetic: a table nobody can trust would be worse than none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as benchmark
from benchmarks import aggregate as table_cells
from benchmarks import execute
from benchmarks.peers.peer_config import Job
from benchmarks.podium_adapter import entries, task_of
from benchmarks.process_tree import MARK, Tree, busy_cores, measure
from benchmarks.report import markdown
from benchmarks.run_order import Planned, plan
from benchmarks.systems import PEERS, PODIUM
from benchmarks.time_breakdown import break_down
from benchmarks.workloads import FRACTIONS, WORKLOADS, find, frozen_layers
from tuning.plan.make_plan import make_plan
from tuning.plan.resources import Share
from tuning.plan.settings import StudySettings

CHECKOUT = Path(__file__).resolve().parents[2]
KEYS = [key for workload in WORKLOADS for key in (workload.name, f"{workload.name}-quick")]


# Workloads


@pytest.mark.parametrize("key", KEYS)
def test_a_longer_list_begins_with_the_shorter_one_and_every_trial_is_another(key: str) -> None:
    workload = find(key)
    longest = workload.configurations(96)
    for count in (1, 4, 12, 48):
        assert workload.configurations(count) == longest[:count]
    assert len({(config.seed, config.learning_rate) for config in longest}) == 96


def test_the_lists_are_the_same_on_every_machine() -> None:
    first = [find(name).configurations(1)[0] for name in ("W1", "W2", "W3")]
    assert [config.values() for config in first] == FIRST


FIRST: list[dict[str, Any]] = [
    {"index": 0, "seed": 0, "optimizer": "adam", "learning_rate": 5.18e-05, "dropout": 0.2, "frozen_fraction": 0.6},
    {
        "index": 0,
        "seed": 0,
        "optimizer": "adam",
        "learning_rate": 0.00332,
        "dropout": 0.2,
        "conv_blocks": 2,
        "filter_width": 0.5,
    },
    {"index": 0, "seed": 0, "optimizer": "adam", "learning_rate": 7.97e-05, "dropout": 0.2, "frozen_fraction": 0.0},
]


def test_what_carrying_forward_rests_on_is_balanced() -> None:
    configs = find("W1").configurations(12)
    for part in (configs[:4], configs[4:]):
        fractions = [config.frozen_fraction or 0 for config in part]
        assert sum(fractions) / len(part) == pytest.approx(0.8)
        assert Counter(config.optimizer for config in part) == {"adam": len(part) // 2, "sgd": len(part) // 2}
    ten = Counter((config.frozen_fraction, config.optimizer) for config in find("W1").configurations(10))
    assert set(ten.values()) == {1}
    assert len(ten) == 2 * len(FRACTIONS)


@pytest.mark.parametrize("key", KEYS)
def test_every_system_takes_the_same_steps_on_whole_classes(key: str) -> None:
    workload = find(key)
    assert workload.train % 10 == workload.val % 10 == 0
    assert workload.batch_size <= workload.train


def test_an_unknown_workload_is_named() -> None:
    with pytest.raises(ValueError, match=r"'W9'.*W1, W2, W3, W1-quick"):
        find("W9")


def test_frozen_layers_are_counted_as_a_peer_counts_them() -> None:
    assert [frozen_layers("NASNetMobile", fraction) for fraction in (0.6, 1.0)] == [461, 769]
    assert frozen_layers("EfficientNetB0", 0.0) == 0


@pytest.mark.parametrize("key", KEYS)
def test_this_project_accepts_the_listed_configurations_as_they_stand(key: str, tmp_path: Path) -> None:
    workload = find(key)
    configs = tmp_path / "configs.json"
    configs.write_text(json.dumps(entries(workload, 12)))
    settings = StudySettings(results=tmp_path, data_dir=tmp_path, configs=str(configs), confirm_seeds=0)
    [arm] = make_plan(task_of(workload), settings, Share(slots=2, cpus=1.0, gpus=0.0), "study").arms
    assert len(arm.listed) == 12
    for listed, config in zip(arm.listed, workload.configurations(12), strict=True):
        wanted = {name: value for name, value in config.values().items() if name not in ("index", "seed")}
        assert wanted.items() <= listed.config.items()
        assert (listed.seed, listed.epochs) == (config.seed, workload.epochs)
        assert (listed.config["batch_size"], listed.config["schedule"]) == (workload.batch_size, "constant")
        assert listed.config.get("momentum") == (0.9 if config.optimizer == "sgd" else None)
    counts = task_of(workload).dataset.counts
    assert counts is not None
    assert (counts.train * 10, counts.val * 10) == (workload.train, workload.val)


# Order of runs


TAKES = {"kerastuner": 4.0, "optuna": 3.0, "ray": 2.0, "ray_reuse": 1.0, PODIUM: 5.0}


def carried_out(name: str, systems: Sequence[str], rounds: int, failing: str = "") -> list[Planned]:
    """The runs of a workload whose systems take so many seconds each time."""
    seconds: dict[str, list[float]] = {}
    runs = []
    for run in plan(find(name), systems, rounds, seconds):
        runs.append(run)
        if run.system != failing:
            seconds.setdefault(run.system, []).append(TAKES[run.system])
    return runs


def test_systems_take_turns_and_the_fastest_two_peers_go_on() -> None:
    runs = carried_out("W1", [*PEERS, PODIUM], rounds=3)
    rounds = [[run.system for run in runs if run.round == number] for number in (1, 2, 3)]
    contenders = ["ray", "ray_reuse", PODIUM]
    assert [sorted(one) for one in rounds] == [sorted([*PEERS, PODIUM]), sorted(contenders), sorted(contenders)]
    assert len({one[0] for one in rounds}) == 3
    assert {run.trials for run in runs if run.round and run.system != PODIUM} == {4}
    checks = [(run.system, run.trials) for run in runs if run.round == 0]
    assert checks == [("ray", 12), ("ray_reuse", 12), (PODIUM, 48), (PODIUM, 96)]


def test_a_peer_that_fails_does_not_come_again() -> None:
    runs = carried_out("W1", [*PEERS, PODIUM], rounds=2, failing="ray_reuse")
    assert sorted(run.system for run in runs if run.round == 2) == sorted(["optuna", "ray", PODIUM])


def test_a_workload_without_checks_has_rounds_alone() -> None:
    runs = carried_out("W2", ["optuna", PODIUM], rounds=2)
    assert {(run.trials, run.round) for run in runs} == {(24, 1), (24, 2)}


def test_two_systems_take_turns_too() -> None:
    runs = carried_out("W2", ["optuna", PODIUM], rounds=3)
    assert [run.system for run in runs] == ["optuna", PODIUM, PODIUM, "optuna", "optuna", PODIUM]


# Arithmetic of the tables


def run_of(system: str, trials: int, wall: float, *, error: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "workload": "W1",
        "system": system,
        "trials": trials,
        "round": 1,
        "wall_seconds": wall,
        "cpu_seconds": 2 * wall,
        "peak_bytes": 100 * 2**20,
        "val_accuracy": [[0.1, 0.5]] * trials,
        "breakdown": None,
        "busy_before": 0.0,
        "timeline": [],
        "error": error,
        **more,
    }


def test_cells_are_medians_and_peers_are_carried_along_their_own_line() -> None:
    runs = [
        *(run_of("optuna", 4, wall) for wall in (90.0, 50.0, 60.0)),  # median 60
        run_of("optuna", 12, 140.0),  # 80 s for 8 trials: 10 s each, start-up 20
        run_of("optuna", 12, 9.0, error="exit status 1"),  # does not count
        run_of(PODIUM, 12, 70.0),
        run_of(PODIUM, 48, 100.0),
    ]
    found = {(cell.system, cell.trials): cell for cell in table_cells.cells(runs)}
    assert list(found) == [("optuna", 4), ("optuna", 12), (PODIUM, 12), ("optuna", 48), (PODIUM, 48)]
    assert (found["optuna", 4].wall, found["optuna", 4].a_trial, found["optuna", 12].walls) == (60.0, 15.0, (140.0,))
    carried = found["optuna", 48]
    assert (carried.carried, carried.wall, carried.cpu, carried.peaks) == (True, 500.0, 1000.0, ())
    fitted = table_cells.cost(found["optuna", 4], found["optuna", 12])
    assert (fitted.intercept, fitted.slope) == (20.0, 10.0)
    ratio = table_cells.ratios(list(found.values()))
    assert ratio == {("optuna", 12): 2.0, (PODIUM, 12): 1.0, ("optuna", 48): 5.0, (PODIUM, 48): 1.0}


def test_the_best_peer_is_the_one_done_first() -> None:
    runs = [run_of("ray", 12, 100.0), run_of("optuna", 12, 140.0), run_of(PODIUM, 12, 70.0)]
    assert table_cells.best_peer(table_cells.cells(runs), 12) == "ray"
    assert table_cells.best_peer(table_cells.cells(runs[2:]), 12) is None


def test_the_report_says_what_was_measured_and_what_was_carried_forward() -> None:
    breakdown = {"start": 20.0, "steps": 100.0, "end": 20.0}  # of 2 x 70 slot-seconds
    runs = [
        run_of("optuna", 4, 60.0),
        run_of("optuna", 12, 140.0),
        run_of("ray", 4, 1.0, error="exit status 1\nTraceback"),
        run_of(PODIUM, 12, 70.0, breakdown=breakdown),
        run_of(PODIUM, 48, 100.0, breakdown=breakdown),
    ]
    material = {"workload": {**vars(find("W1"))}}
    machine = {"processor": "any", "cores": 2, "cores_used": [0, 1], "memory_bytes": 2**30}
    text = markdown({"machine": machine, "versions": {"keras": "3"}, "material": {"W1": material}, "runs": runs})
    assert (
        "| 12 | Optuna and Keras, one process | 1 | 140.0 | 280 | 100 | 11.67 | **2.00** | 0.500 [0.500, 0.500] |"
        in text
    )
    assert "| 48 | Optuna and Keras, one process | carried forward | 500.0 | 1000 |  | 10.42 | **5.00** |  |" in text
    assert "| Optuna and Keras, one process | 4 and 12 | 20.0 | 10.00 |" in text
    assert "| steps | 100.0 (71%) | 100.0 (50%) |" in text
    assert "| accounted for | 100.0% | 70.0% (!) |" in text
    assert "Failed: ray, 4 trials: exit status 1" in text


# Where this project's time goes


def study_events() -> Iterable[dict[str, Any]]:
    """Two slots, 100 s from time 1000: trial a, then c in one slot, b in the other; the test split at the end."""
    spent = {
        "a": {"build": 10.0, "train": 8.0},
        "b": {"import": 5.0, "train": 25.0},
        "c": {"train": 15.0, "other": 1.0},
    }
    times = {"a": (1020.0, 1040.0), "b": (1025.0, 1060.0), "c": (1042.0, 1070.0)}
    for trial, (started, ended) in times.items():
        yield {"event": "trial_started", "trial": trial, "time": started}
        yield {"event": "epoch", "trial": trial, "time": ended - 1, "seconds": spent[trial]}
        yield {"event": "trial_ended", "trial": trial, "time": ended}
    yield {"event": "test_opened", "time": 1072.0}
    yield {"event": "test_measured", "time": 1080.0}


def test_a_breakdown_gives_every_slot_second_one_name() -> None:
    found = break_down(study_events(), started=1000.0, ended=1100.0, slots=2)
    assert {name: seconds for name, seconds in found.items() if seconds} == {
        "start": 20.0 + 25.0,
        "import": 5.0,
        "build": 10.0,
        "steps": 8.0 + 25.0 + 15.0,
        "other": 1.0,  # a phase this table does not know has its own row
        "report": 2.0 + 5.0 + 12.0,
        "hand-over": 2.0,  # from a's end to c's start
        "test": 8.0,
        "idle": 10.0 + 8.0,  # b's slot while c ran, and the slot beside the test
        "end": 2 * (30.0 - 8.0),
    }
    assert sum(found.values()) == pytest.approx(200.0)


def test_phases_that_claim_more_than_there_was_are_seen() -> None:
    events = [{**event, "seconds": {"train": 90.0}} if event["event"] == "epoch" else event for event in study_events()]
    assert sum(break_down(events, started=1000.0, ended=1100.0, slots=2).values()) > 1.05 * 200


# Measuring processes

BUSY = "import time\nend = time.process_time() + {seconds}\nwhile time.process_time() < end: pass\n"
# A child in a session of its own that outlives its parent, and one whose environment no longer says whose it is. The
# parent waits until both have worked, however busy the machine is.
DETACHING = """
import pathlib, subprocess, sys, time
children = [
    subprocess.Popen([sys.executable, "-c", sys.argv[1]], start_new_session=True),
    subprocess.Popen([sys.executable, "-c", sys.argv[1]], start_new_session=True, env={}),
]
while len(list(pathlib.Path(sys.argv[2]).glob("worked-*"))) < 2:
    time.sleep(0.05)
time.sleep(0.7)
"""


@pytest.mark.slow
def test_detached_processes_are_counted_and_what_stays_is_ended(tmp_path: Path) -> None:
    worked = f"import os, pathlib\npathlib.Path({str(tmp_path)!r}, f'worked-{{os.getpid()}}').touch()\n"
    sleeper = BUSY.format(seconds=0.6) + worked + "block = b'x' * 60_000_000\ntime.sleep(60)\n"
    found = measure(
        [sys.executable, "-c", DETACHING, sleeper, str(tmp_path)],
        folder=tmp_path,
        log=tmp_path / "log",
        environment={},
        grace=0.3,
    )
    assert found.exit_status == 0, (tmp_path / "log").read_text()
    assert found.wall_seconds >= 1.3
    assert found.processes == 3
    assert found.cpu_seconds >= 1.0  # twice 0.6, less what came after the last look
    assert found.left_over == 2
    deadline = time.monotonic() + 10
    while (left := marked_processes(sleeper)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []


def marked_processes(program: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if len(words) > 2 and words[2] == program.encode():
                found.append(int(entry.name))
    return found


def test_the_processor_time_of_one_process_is_the_kernels_own_count(tmp_path: Path) -> None:
    command = [sys.executable, "-c", BUSY.format(seconds=0.5) + "raise SystemExit(3)"]
    found = measure(
        command,
        folder=tmp_path,
        log=tmp_path / "log",
        environment={"A": "b"},
        cores=sorted(os.sched_getaffinity(0))[:1],
    )
    assert (found.exit_status, found.left_over, found.processes) == (3, 0, 1)
    assert 0.5 <= found.cpu_seconds < 1.0
    assert found.ended - found.started == pytest.approx(found.wall_seconds, abs=0.2)


@pytest.mark.slow
def test_memory_is_the_sum_over_the_tree(tmp_path: Path) -> None:
    block = "import time\nblock = bytearray(b'x') * 50_000_000\ntime.sleep(3)\n"
    script = f"import subprocess, sys\nchild = subprocess.Popen([sys.executable, '-c', {block!r}])\n{block}child.wait()"
    found = measure([sys.executable, "-c", script], folder=tmp_path, log=tmp_path / "log", environment={})
    assert 100e6 < found.peak_bytes < 160e6


def test_what_others_do_is_seen() -> None:
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as stranger:
        time.sleep(0.3)
        busy = busy_cores(1.0)
        stranger.kill()
    assert 0.5 < busy <= (os.cpu_count() or 1)


def test_a_run_that_does_not_end_is_ended(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with pytest.raises(TimeoutError, match="did not end"):
        measure(command, folder=tmp_path, log=tmp_path / "log", environment={}, timeout=0.5, grace=0.1)


@contextmanager
def marked_process(mark: str) -> Iterator[subprocess.Popen[bytes]]:
    """One that runs: its environment cannot be read yet while the kernel still starts it."""
    command = [sys.executable, "-c", "print(flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={MARK: mark}) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_a_stranger_is_never_taken_for_a_process_of_the_run() -> None:
    with marked_process("another") as stranger:
        tree = Tree("this one")
        tree.look(memory=True)
        assert stranger.poll() is None
        assert (tree.alive, tree.processes, tree.peak_bytes, tree.cpu_seconds) == (set(), 0, 0, 0.0)


def test_a_process_is_found_by_its_mark_alone() -> None:
    """It is nobody's child here: as a daemon is, whose parent ended before the first look."""
    with marked_process("this one") as marked:
        tree = Tree("this one")
        tree.look(memory=True)
        assert [process.pid for process in tree.alive] == [marked.pid]
        assert tree.peak_bytes > 1e6
        marked.kill()
        marked.wait()
        tree.look(memory=False)
        assert (tree.alive, tree.processes) == (set(), 1)


# One run


@pytest.mark.parametrize(
    ("lines", "status", "error"),
    [
        ([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], 0, None),
        ([[0.1, 0.2, 0.3]], 0, "exit status 0, 1 of 2 trials whole"),
        ([[0.1, 0.2, 0.3], [0.4, 0.5]], 0, "exit status 0, 1 of 2 trials whole"),
        ([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], 3, "exit status 3, 2 of 2 trials whole"),
    ],
)
def test_a_run_counts_only_when_every_trial_is_whole(
    lines: list[list[float]], status: int, error: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def command(system: Any, job: Job) -> list[str]:
        for index, values in reversed(list(enumerate(lines))):  # trials side by side end in any order
            job.record(index, time.time() - 5, values)
        return [sys.executable, "-c", f"print('the last line'); raise SystemExit({status})"]

    monkeypatch.setattr(execute, "command", command)
    monkeypatch.setattr(execute, "busy_cores", lambda: 0.0)  # two seconds
    planned = Planned(system="optuna", trials=2, round=1)
    run = execute.execute(find("W2-quick"), planned, tmp_path / "material", tmp_path / "run", cores=())
    assert run.val_accuracy == lines
    assert run.trial_seconds == [pytest.approx(5, abs=0.5)] * len(lines)
    assert (run.error or "").splitlines() == ([] if error is None else [error, "the last line"])


def test_this_projects_trials_are_read_from_its_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def command(system: Any, job: Job) -> list[str]:
        study = job.scratch / "results" / "W2-quick" / "study"
        study.mkdir(parents=True)
        now = time.time()
        events: list[dict[str, Any]] = []
        for number, trial in ((1, "b"), (0, "a")):
            events.append({"event": "trial_asked", "trial": trial, "number": number, "time": now})
            events.append({"event": "trial_started", "trial": trial, "time": now + 1})
            for accuracy in (0.1, 0.2, 0.3 + number):
                metrics = {"val_accuracy": accuracy}
                events.append(
                    {"event": "epoch", "trial": trial, "time": now, "metrics": metrics, "seconds": {"train": 0.5}}
                )
            events.append({"event": "trial_ended", "trial": trial, "time": now + 3.5})
        (study / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
        return [sys.executable, "-c", ""]

    monkeypatch.setattr(execute, "command", command)
    monkeypatch.setattr(execute, "busy_cores", lambda: 0.0)  # two seconds
    planned = Planned(system=PODIUM, trials=2, round=1)
    run = execute.execute(find("W2-quick"), planned, tmp_path / "material", tmp_path / "run", cores=())
    assert run.error is None
    assert run.val_accuracy == [[0.1, 0.2, 0.3], [0.1, 0.2, 1.3]]
    assert run.trial_seconds == [2.5, 2.5]
    assert run.breakdown is not None
    assert run.breakdown["steps"] == 3.0
    assert all("metrics" not in event for event in run.timeline)


# The whole


def test_unknown_peers_are_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"hyperopt.*kerastuner"):
        benchmark.main(["--peers", "hyperopt", "--out", str(tmp_path)])


@pytest.mark.slow
@pytest.mark.nightly
def test_optuna_and_this_project_side_by_side(tmp_path: Path) -> None:
    """The whole way with real processes: data, weights, runs, tables."""
    command = [sys.executable, "-m", "benchmarks.__main__", "--quick", "--workloads", "W2", "--peers", "optuna"]
    done = subprocess.run([*command, "--out", tmp_path], cwd=CHECKOUT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    [path] = tmp_path.glob("*-quick.json")
    runs = {run["system"]: run for run in json.loads(path.read_text())["runs"]}
    workload = find("W2-quick")
    for run in (runs["optuna"], runs[PODIUM]):
        assert [len(values) for values in run["val_accuracy"]] == [workload.epochs] * run["trials"]
        assert run["cpu_seconds"] > 5  # TensorFlow's import alone
        assert run["peak_bytes"] > 200e6
        assert run["left_over"] == 0
    spent = sum(runs[PODIUM]["breakdown"].values()) / (2 * runs[PODIUM]["wall_seconds"])
    assert 0.95 <= spent <= 1.05
    assert path.with_suffix(".md").read_text() in done.stdout
