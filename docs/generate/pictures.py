"""The pictures of README and documentation, made by the program: `make pictures`.

A real study of the sample of food10 is run; its record is replayed to the middle for the live table. The page of
`report` is photographed by a browser (`chromium` on PATH). The benchmark's lines are of docs/benchmarks.md.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from rich.console import Console

CHECKOUT = Path(__file__).resolve().parents[2]
PICTURES = CHECKOUT / "docs" / "pictures"
STUDY = "pictures"
COLUMNS = 118  # of the terminal that is shown
PAGE = (1100, 1250)  # pixels of the report's page that are shown: width, height
# Workload W1 of docs/benchmarks.md: seconds before the first trial ends, and for each further trial.
LINES = {"Ray Tune, workers reused": (4, 46.5), "Podium": (64, 2.6)}
MEASURED = {"Ray Tune, workers reused": ([4, 12], [191, 561]), "Podium": ([12, 48, 96], [95, 169, 309])}


def live_table(folder: Path) -> str:
    """Return an SVG of the live table as it stood when half of the events had happened."""
    from commands.base.options import data_folder
    from tasks.task import load_task
    from tuning.listeners.progress import Progress
    from tuning.plan.make_plan import make_plan
    from tuning.plan.resources import machine_share
    from tuning.plan.settings import StudySettings
    from tuning.records.event_log import read_events
    from tuning.records.study_paths import StudyPaths
    from tuning.records.study_record import replay

    settings = StudySettings(
        sample=True, results=folder.parents[1], data_dir=data_folder(None), trials=12, confirm_seeds=3
    )
    plan = make_plan(load_task("food10"), settings, machine_share(settings), STUDY)
    events = list(read_events(StudyPaths(folder).events))
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    progress = Progress(console)
    progress.watch(replay(events[: len(events) // 2]), plan)
    console.print(progress)
    return console.export_svg(title="python cli.py tune food10 --sample --trials 12")


def report_page(folder: Path, browser: str) -> None:
    """Photograph the top of the study's report.html.

    Args:
        folder: Folder of the study.
        browser: Path of chromium.
    """
    width, height = PAGE
    subprocess.run(
        [
            *(browser, "--headless=new", "--no-sandbox", "--hide-scrollbars", f"--window-size={width},{height}"),
            *(f"--screenshot={PICTURES / 'report.png'}", (folder / "report.html").as_uri()),
        ],
        check=True,
        capture_output=True,
    )


def benchmark_plot() -> None:
    """Draw wall clock against the number of trials: measured points on the two lines."""
    figure = Figure(figsize=(7.5, 3.6), layout="constrained")
    axes = figure.subplots()
    trials = np.geomspace(1, 96, 50)  # lines in time are curves on these axes
    for (name, (start, each)), colour in zip(LINES.items(), ("tab:gray", "tab:blue"), strict=True):
        axes.plot(trials, start + each * trials, color=colour, linewidth=1)
        axes.plot(*MEASURED[name], "o", color=colour, label=name)
    axes.set(xscale="log", yscale="log", xlabel="trials", ylabel="seconds from a cold start")
    axes.set_xticks([1, 4, 12, 48, 96], ["1", "4", "12", "48", "96"])
    axes.set_yticks([60, 100, 300, 1000, 3000], ["60", "100", "300", "1,000", "3,000"])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    axes.set_title("NASNetMobile, mostly frozen, two cores (points measured)", fontsize=10)
    with matplotlib.rc_context({"svg.hashsalt": "podium"}):  # the same names in every run
        figure.savefig(PICTURES / "benchmark.svg", metadata={"Date": None})


def main() -> None:
    """Run the study and write all pictures."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("make pictures needs chromium on PATH: apt-get install chromium")
    PICTURES.mkdir(exist_ok=True)
    folder = CHECKOUT / "results" / "food10" / STUDY  # not a temporary one, whose name the page would show
    shutil.rmtree(folder, ignore_errors=True)
    options = ["food10", "--sample", "--trials", "12", "--confirm-seeds", "3", "--name", STUDY]
    subprocess.run([sys.executable, "cli.py", "tune", *options, "--quiet"], cwd=CHECKOUT, check=True)
    subprocess.run([sys.executable, "cli.py", "report", f"food10/{STUDY}"], cwd=CHECKOUT, check=True)
    (PICTURES / "live.svg").write_text(live_table(folder))
    report_page(folder, browser)
    shutil.rmtree(folder)
    benchmark_plot()


if __name__ == "__main__":
    main()
