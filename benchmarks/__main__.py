"""Side by side: this project, KerasTuner, Optuna and plain Ray Tune on the same lists of configurations.

    make benchmark
    .venv/bin/python -m benchmarks --workloads W1,W3 --rounds 3 --peers optuna,ray_reuse
    .venv/bin/python -m benchmarks --quick

Writes <date>.json, everything measured, and <date>.md, its tables, after every run, so that a Ctrl-C loses one run.
`--report FILE.json` writes the tables of an earlier run again.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from atomic_file import write_atomically
from benchmarks.aggregate import QUIET
from benchmarks.execute import CHECKOUT, Run, execute
from benchmarks.report import markdown
from benchmarks.run_order import plan
from benchmarks.systems import PEERS, PODIUM, SYSTEMS, environment
from benchmarks.workloads import SLOTS, WORKLOADS, Workload, find
from machine import usable_cores, usable_memory
from trainables import devices

VERSIONED = ("tensorflow", "keras", "ray", "optuna", "keras-tuner", "numpy", "albumentations")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; return 1 if a run failed.

    Raises:
        SystemExit: A workload or a peer is unknown.
    """
    options = _parser().parse_args(arguments)
    if options.report is not None:
        options.report.with_suffix(".md").write_text(markdown(json.loads(options.report.read_text())))
        return 0
    try:
        workloads = [find(f"{name}-quick" if options.quick else name) for name in options.workloads.split(",")]
    except ValueError as error:
        raise SystemExit(f"--workloads: {error}") from None
    peers = [] if options.peers == "none" else options.peers.split(",")
    if unknown := set(peers) - set(PEERS):
        raise SystemExit(f"--peers names {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}, or none")
    cores = sorted(os.sched_getaffinity(0))[:SLOTS]
    options.out.mkdir(parents=True, exist_ok=True)
    target = options.out / (time.strftime("%Y-%m-%d-%H%M%S") + ("-quick" if options.quick else "") + ".json")
    results: dict[str, Any] = {"machine": _machine(cores), "versions": _versions(), "material": {}, "runs": []}
    scratch = Path(tempfile.mkdtemp(prefix="podium-benchmark-"))
    failed = 0
    try:
        _warm_up([*peers, PODIUM])
        for workload in workloads:
            material = scratch / workload.key
            results["material"][workload.key] = _make_material(workload, material)
            seconds: dict[str, list[float]] = {}
            for planned in plan(workload, [*peers, PODIUM], options.rounds or workload.rounds, seconds):
                run = execute(workload, planned, material, scratch / "run", cores)
                if run.error is not None:
                    failed += 1
                elif run.round:
                    seconds.setdefault(run.system, []).append(run.wall_seconds)
                results["runs"].append(asdict(run))
                _write(target, results)
                print(f"{workload.key} {f'round {run.round}' if run.round else 'check'}  {_line(run)}", flush=True)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print(f"\n{target.with_suffix('.md').read_text()}\n{target}")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.partition("\n")[0])
    names = ",".join(workload.name for workload in WORKLOADS)
    parser.add_argument("--workloads", default=names, help=f"default: {names}")
    parser.add_argument("--rounds", type=int, help="default: 3; 1 with --quick")
    parser.add_argument("--quick", action="store_true", help="every path in minutes, to see that it runs")
    parser.add_argument("--peers", default=",".join(PEERS), help=f"of {','.join(PEERS)}; or none")
    parser.add_argument("--out", type=Path, default=CHECKOUT / "benchmarks" / "results")
    parser.add_argument("--report", type=Path, metavar="FILE.json", help="only write the tables of these results")
    return parser


def _warm_up(systems: Sequence[str]) -> None:
    """So that no system is the first to read its libraries from the disk, or to compile them."""
    for name in systems:
        done = subprocess.run(
            [sys.executable, "-c", f"import {SYSTEMS[name].imports}"], capture_output=True, text=True, cwd=CHECKOUT
        )
        if done.returncode:
            raise SystemExit(
                f"{name} cannot be imported ({done.stderr.splitlines()[-1]}): run make setup EXTRAS=benchmark"
            )


def _make_material(workload: Workload, folder: Path) -> dict[str, Any]:
    """In a process of its own: TensorFlow's threads and memory must not stay in this one."""
    folder.mkdir()
    command = [sys.executable, "-m", "benchmarks.prepare_inputs", workload.key, str(folder)]
    made = subprocess.run(
        command, cwd=CHECKOUT, env={**os.environ, **environment(CHECKOUT, folder)}, capture_output=True, text=True
    )
    if made.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{made.stderr[-2000:]}")
    facts: dict[str, Any] = json.loads((folder / "facts.json").read_text())
    return {**facts, "workload": asdict(workload)}


def _write(target: Path, results: dict[str, Any]) -> None:
    write_atomically(target, json.dumps(results, indent=1) + "\n")
    write_atomically(target.with_suffix(".md"), markdown(results))


def _line(run: Run) -> str:
    text = f"{run.system:<11} {run.trials:>3} trials  {run.wall_seconds:7.1f} s  {run.cpu_seconds:7.1f} s processor"
    text += f"  {run.peak_bytes / 2**20:6.0f} MB"
    if run.busy_before > QUIET:
        text += f"  ({run.busy_before:.1f} cores were at work before it: not quiet)"
    return text + (f"\nFAILED: {run.error}" if run.error else "")


def _machine(cores: Sequence[int]) -> dict[str, Any]:
    return {
        "processor": devices.processor(),
        "cores_used": list(cores),
        "cores": usable_cores(),
        "memory_bytes": usable_memory(),
        "platform": platform.platform(),
    }


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for name in VERSIONED:
        with contextlib.suppress(metadata.PackageNotFoundError):  # a peer that was not asked for
            versions[name] = metadata.version(name)
    return versions


if __name__ == "__main__":
    sys.exit(main())
