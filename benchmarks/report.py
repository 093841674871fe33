"""The tables of a benchmark as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.aggregate import Cell, best_peer, cells, cost, ratios
from benchmarks.systems import PODIUM, SYSTEMS
from benchmarks.time_breakdown import ORDER
from benchmarks.workloads import SLOTS

LEAST_ACCOUNTED = 0.95  # of slots x wall clock; a breakdown that names less is marked

NOTES = """\
Every run is a cold start: no process, no cache and no folder of an earlier run is left, only what the kernel keeps of
files. The images' decoding is not timed for any system. A peer gets the same pixels from memory, the same steps, seeds
and initial backbone weights, and {slots} cores: one process on both, or two trials side by side on one each.

- **ratio**: wall clock in multiples of this project's; above 1 this project is faster. The best peer's is bold.
- **processor**: user and system seconds of every process of the run, Ray's included. **memory**: highest sum of all
  processes' Pss, seen every 2 seconds.
- **carried forward**: not run, but calculated from that system's start-up and cost of one more trial, which the second
  table takes from its own two numbers of trials.
- **val. accuracy**: after the last epoch; median over trials, and lowest and highest.
- This project also keeps each better epoch's model, and measures the best model on the test split at the end (rows
  "checkpoint" and "test" below); no peer does. Its TensorFlow is deterministic, a peer's is not.
- Ray is as it comes for the peers; this project starts it without workers of its own accord and at no lower priority.
- **(!)** after a number of runs: others were at work on the machine before one of them.
- A peer that is not among the fastest two in the first round has no further rounds.
- A peer freezes exactly int(layers x fraction) layers; this project may move the cut to the end of a block{cuts}.\
"""


def markdown(results: Mapping[str, Any]) -> str:
    """Render the report of the runs so far."""
    machine, versions = results["machine"], results["versions"]
    keys = list(dict.fromkeys(run["workload"] for run in results["runs"]))
    cores = f"{len(machine['cores_used'])} of {machine['cores']} cores"
    memory = f"{machine['memory_bytes'] / 2**30:.0f} GB"
    installed = ", ".join(f"{name} {version}" for name, version in versions.items())
    parts = ["# Side by side", "", f"{machine['processor']}, {cores}, {memory}. {installed}."]
    parts += ["", NOTES.format(slots=SLOTS, cuts=_cuts(results["runs"]))]
    for key in keys:
        runs = [run for run in results["runs"] if run["workload"] == key]
        parts += ["", *_workload(results["material"][key]["workload"], runs)]
    return "\n".join(parts) + "\n"


def _workload(workload: Mapping[str, Any], runs: Sequence[Mapping[str, Any]]) -> list[str]:
    found = cells(runs)
    size = "; quick: a check that it runs, not a comparison" if workload["quick"] else ""
    parts = [f"## {workload['name']}: {workload['title']}{size}", ""]
    images = f"{workload['train']} training and {workload['val']} validation images"
    parts += [f"{images}, batch {workload['batch_size']}, {workload['epochs']} epochs."]
    parts += ["", *_main_table(found), "", *_cost_table(found), *_breakdown_table(runs)]
    for run in runs:
        if run["error"] is not None:
            parts += [f"Failed: {run['system']}, {run['trials']} trials: {run['error'].splitlines()[0]}", ""]
    return parts[:-1] if parts[-1] == "" else parts


def _main_table(found: Sequence[Cell]) -> list[str]:
    heading = ["trials", "system", "runs", "wall s", "processor s", "memory MB", "s a trial", "ratio", "val. accuracy"]
    ratio_of = ratios(list(found))
    rows = []
    for cell in found:
        ratio = ratio_of.get((cell.system, cell.trials))
        text = "" if ratio is None else f"{ratio:.2f}"
        if cell.system == best_peer(list(found), cell.trials) and text:
            text = f"**{text}**"
        rows.append(
            [
                str(cell.trials),
                SYSTEMS[cell.system].label,
                "carried forward" if cell.carried else f"{len(cell.walls)}{'' if cell.quiet else ' (!)'}",
                _spread(cell.walls, "{:.1f}"),
                f"{cell.cpu:.0f}",
                f"{median(cell.peaks) / 2**20:.0f}" if cell.peaks else "",
                f"{cell.a_trial:.2f}",
                text,
                _spread(cell.accuracies, "{:.3f}"),
            ]
        )
    return _table(heading, rows)


def _cost_table(found: Sequence[Cell]) -> list[str]:
    """Tabulate start-up and cost of a trial of systems measured with two numbers of trials."""
    rows = []
    for name, system in SYSTEMS.items():
        own = sorted((cell for cell in found if cell.system == name and not cell.carried), key=lambda cell: cell.trials)
        if len(own) >= 2:
            fitted = cost(own[0], own[-1])
            measured_at = f"{own[0].trials} and {own[-1].trials}"
            rows.append([system.label, measured_at, f"{fitted.intercept:.1f}", f"{fitted.slope:.2f}"])
    if not rows:
        return []
    return [*_table(["system", "from trials", "start-up s", "s for one more trial"], rows), ""]


def _breakdown_table(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Tabulate the time breakdown of the median run for each number of trials."""
    own: dict[int, list[Mapping[str, Any]]] = {}
    for run in runs:
        if run["system"] == PODIUM and run["error"] is None and run["breakdown"]:
            own.setdefault(run["trials"], []).append(run)
    if not own:
        return []
    chosen = [sorted(of, key=lambda run: run["wall_seconds"])[(len(of) - 1) // 2] for of in own.values()]
    totals = [SLOTS * run["wall_seconds"] for run in chosen]
    names = [*ORDER, *{name for run in chosen for name in run["breakdown"]} - set(ORDER)]
    rows = []
    for name in names:
        spent = [run["breakdown"].get(name, 0.0) for run in chosen]
        if any(spent):
            rows.append([name, *(f"{s:.1f} ({s / total:.0%})" for s, total in zip(spent, totals, strict=True))])
    accounted = [sum(run["breakdown"].values()) / total for run, total in zip(chosen, totals, strict=True)]
    marks = ["" if LEAST_ACCOUNTED <= share <= 2 - LEAST_ACCOUNTED else " (!)" for share in accounted]
    rows.append(["accounted for", *(f"{share:.1%}{mark}" for share, mark in zip(accounted, marks, strict=True))])
    heading = ["slot-seconds", *(f"{run['trials']} trials" for run in chosen)]
    return ["Where this project's time goes:", "", *_table(heading, rows), ""]


def _cuts(runs: Iterable[Mapping[str, Any]]) -> str:
    """Return the numbers of frozen layers that this project recorded."""
    facts = [event.get("facts", {}) for run in runs for event in run["timeline"] if event["event"] == "trial_prepared"]
    counts = sorted({fact["frozen_layers"] for fact in facts if fact.get("frozen_layers")})
    return f" (it froze {', '.join(map(str, counts))})" if counts else ""


def _spread(values: Sequence[float], form: str) -> str:
    if not values:
        return ""
    middle = form.format(median(values))
    if len(values) == 1:
        return middle
    return f"{middle} [{form.format(min(values))}, {form.format(max(values))}]"


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [heading, ["---"] * len(heading), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]
