"""The command `tune`: a study from its data to its table."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from commands.base.error_handling import fail
from commands.base.options import CHECKOUT, data_dir_option, data_folder, data_options, results_option
from errors import arg
from tuning.plan.settings import Precision, SearchName
from tuning.records.study_paths import StudyPaths
from tuning.stopping import stopping_rules

if TYPE_CHECKING:
    from rich.console import Console

    from datasets.dataset import Dataset
    from tasks.task import Task
    from tuning.plan.settings import StudySettings
    from tuning.plan.study_plan import StudyPlan


@click.command()
@click.argument("task")
@click.option("--sample", is_flag=True, help="The same question, small: generated images, no network, minutes.")
@click.option("--data", metavar="PATH|URL", help="Archive, folder, table (CSV) or URL of the images.")
@data_options
@click.option("--gpus", type=int, default=0, help="GPUs the study may use.  [default: 0, processors alone]")
@click.option(
    "--gpus-per-trial", type=float, help="Part of a GPU for each trial, such as 0.5.  [default: by its memory]"
)
@click.option("--concurrent", type=int, help="Trials at once.  [default: what the machine or the GPUs hold]")
@click.option("--trials", type=int, help="Configurations searched per arm.  [default: 20]")
@click.option("--epochs", type=int, help="Epochs of a trial that is not stopped.  [default: as the document has it]")
@click.option("--arms", metavar="A,B", help="Arms to compare; a baseline of any task: `pixels`, of boxes `mean_box`.")
@click.option(
    "--folds", type=int, metavar="K", help="For few images: confirm on K folds of those outside the test split."
)
@click.option("--confirm-seeds", type=int, help="Seeds each arm's best is trained with again.  [default: 3; sample 1]")
@click.option("--ensemble", type=int, metavar="K", help="One more row an arm: the K best of its search, averaged.")
@click.option(
    "--from",
    "goes_on_from",
    metavar="STUDY/TRIAL@EPOCH",
    help="Go on from where that trial stood, its settings kept but for what --set and --space change.",
)
@click.option("--keep-epochs", type=int, metavar="N", help="Keep every N-th epoch of every trial, for --from.")
@click.option("--configs", metavar="FILE|published", help="Train exactly these configurations: no search, no stopping.")
@click.option("--search", type=click.Choice(get_args(SearchName)), default="optuna", show_default=True)
@click.option(
    "--scheduler", type=click.Choice(stopping_rules()), default="asha", show_default=True, help="Early stopping."
)
@click.option(
    "--space", "spaces", multiple=True, metavar="AXIS=LOW..HIGH|A,B", help="Search an axis over another range."
)
@click.option("--set", "sets", multiple=True, metavar="AXIS=VALUE", help="Hold an axis or a constant at a value.")
@click.option("--metric", help="Validation metric that decides, such as val_macro_f1.  [default: the task's own]")
@click.option(
    "--augmentation",
    metavar="none|views=K|live",
    help="Of training images; views=K: K fixed variants of each, computed once.  [default: as the document]",
)
@click.option("--backbone", metavar="NAME", help="Short for --set backbone=NAME.")
@click.option("--image-size", type=int, help="Side of the square a model sees, in pixels.")
@click.option(
    "--weights", type=click.Path(path_type=Path), help="File with the backbone's weights, in place of a download."
)
@click.option("--precision", type=click.Choice(get_args(Precision)), default="float32", show_default=True)
@click.option(
    "--feature-cache",
    type=float,
    default=20.0,
    show_default=True,
    metavar="GB",
    help="Disk for the output of frozen layers, computed once for all trials; 0 computes it in every step.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Decides every draw and every initial weight.")
@click.option("--name", help="Name of the study's folder.  [default: the time]")
@click.option("--address", help="A running Ray cluster, such as auto or 10.0.0.1:6379.  [default: this machine]")
@click.option("--dry-run", is_flag=True, help="Print the plan and stop.")
@click.option("--quiet", is_flag=True, help="No progress; the table at the end.")
@results_option
@data_dir_option
def tune(task: str, dry_run: bool, backbone: str | None, **options: Any) -> None:
    """Search every arm of TASK equally hard, confirm the best, test them once, print the table.

    \b
    python cli.py tune food10 --gpus 2 --gpus-per-trial 0.5
    python cli.py tune food10 --sample --arms from_scratch,fine_tuned,pixels
    python cli.py tune food10 --space learning_rate=1e-5..1e-3 --set batch_size=64
    python cli.py tune images --data ~/birds --gpus 2
    """
    from tasks.task import load_task
    from tuning.plan.settings import StudySettings, UsageError

    resolved = load_task(task)
    options["data_dir"] = data_folder(options["data_dir"])
    for name, value in {**options, "backbone": backbone}.items():
        if value == "":
            raise UsageError(f"{arg[name]} is empty; give it a value, or leave it out")
    options["arms"] = tuple(name.strip() for name in options["arms"].split(",")) if options["arms"] else ()
    if backbone is not None:
        options["sets"] = (*options["sets"], f"backbone={backbone}")
    settings = StudySettings(**options)
    _tune(resolved, settings, dry_run)


def _tune(task: Task, settings: StudySettings, dry_run: bool) -> None:
    from rich.console import Console

    from commands.base.progress import prepare_with_bars
    from tuning.plan.make_plan import make_plan
    from tuning.plan.plan_text import render_plan
    from tuning.plan.resources import machine_share
    from tuning.plan.study_folder import make_folder

    console = Console()
    cluster_cores = None
    if settings.address is not None:  # a trial's share depends on how large the cluster is
        from tuning.execution import ray_cluster

        ray_cluster.start_ray(settings.address)
        cluster_cores = ray_cluster.cluster_cores()
    name = settings.name or time.strftime("%Y-%m-%d-%H%M%S")
    plan = make_plan(task, settings, machine_share(settings, cluster_cores), name)
    text = render_plan(plan)
    if dry_run:
        console.print(text, highlight=False, markup=False, soft_wrap=not console.is_terminal)
        return
    make_folder(plan)
    try:
        if not settings.quiet:
            console.print(text, highlight=False, markup=False, soft_wrap=not console.is_terminal)

        def prepared(dataset: Dataset) -> Path:
            return prepare_with_bars(dataset, settings.data_dir, settings.data, settings.quiet)

        store = prepared(plan.task.dataset)
        pretraining = {
            arm.name: prepared(arm.pretraining.dataset)
            for arm in (arm.arm for arm in plan.arms)
            if arm.pretraining is not None
        }
        record_status = _run(plan, store, pretraining, console)
    except BaseException:
        if not StudyPaths(plan.folder).events.exists():
            plan.folder.rmdir()  # nothing happened: leave no empty study behind
        raise
    raise click.exceptions.Exit(record_status)


def _run(plan: StudyPlan, store: Path, pretraining: dict[str, Path], console: Console) -> int:
    """Run the study, write what derives from it, print its table. Returns the exit status.

    pretraining: stores of the images that backbones learn from first, by arm.
    """
    from commands.base.progress import counted, tell_notices
    from datasets.store.image_store import ImageStore
    from tuning.plan.resume_from import check_images

    opened = ImageStore.open(store, plan.fold)
    if plan.origin is not None:
        check_images(plan.origin, opened)
    tell_notices(opened)
    if not plan.settings.quiet:
        console.print(f"images    {counted(opened)}", highlight=False)
        console.print("starting Ray ...", highlight=False)
    from reporting.formats.summarize import summarize_text
    from reporting.plots.learning_curves import NAME as CURVES
    from reporting.plots.live_curves import LiveCurves
    from reporting.report.derived_files import write_derived
    from tuning.execution import ray_cluster
    from tuning.listeners.progress import Progress

    try:
        dashboard = ray_cluster.start_ray(plan.settings.address)
        ray_cluster.check_gpus(plan.settings.gpus)
        from tuning.execution import study
        from tuning.plan.command_line import typed_command

        if not plan.settings.quiet:
            if dashboard:
                token = "  (it asks for the token that `.venv/bin/ray get-auth-token` prints)"
                console.print(f"Ray dashboard: http://{dashboard}{token}", highlight=False, soft_wrap=True)
            for what in (
                f"TensorBoard:   tensorboard --logdir {StudyPaths(plan.folder).tensorboard}",
                f"curves so far: {StudyPaths(plan.folder).plot(CURVES)}",
            ):
                console.print(what, highlight=False, soft_wrap=True)
        progress = Progress(console, plan.settings.quiet)
        live = LiveCurves(StudyPaths(plan.folder).plot(CURVES))
        record = study.run_study(plan, store, progress, typed_command(), pretraining, live.apply)
    except KeyboardInterrupt:
        if StudyPaths(plan.folder).events.exists():
            write_derived(plan.folder)
            click.echo(f"\ninterrupted; what was done is kept: python cli.py summarize {_named(plan)}", err=True)
        raise
    finally:
        ray_cluster.stop_ray()
    write_derived(plan.folder)
    from inspection.evaluation.box_overlays import draw_boxes

    draw_boxes(plan.folder, opened)
    if record.status == "fatal":
        fail(record.reason)
    _write_reports(plan.folder)
    click.echo(summarize_text([plan.folder], "table"))
    click.echo(f"study: {plan.folder}")
    click.echo(f"why to believe it, and what to run next: python cli.py report {_named(plan)}")
    return 0 if all(record.confirmed(arm.arm.name) for arm in plan.arms) else 1


def _write_reports(study: Path) -> None:
    """Classification reports and confusion matrices; nothing of a study without a winner that names classes."""
    from contextlib import suppress

    from inspection.evaluation.evaluation import evaluations, write_evaluations
    from inspection.loading.best_model import InspectionError

    with suppress(InspectionError):
        write_evaluations(study, evaluations(study))


def _named(plan: StudyPlan) -> str:
    """The study as other commands find it without further options."""
    known = plan.settings.results.resolve() == CHECKOUT / "results"
    return f"{plan.task.name}/{plan.name}" if known else shlex.quote(str(plan.folder))
