"""The command `tune`: a study from its data to its table."""

from __future__ import annotations

import shlex
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from commands.base.error_handling import fail
from commands.base.help_text import GroupedOptionsCommand
from commands.base.options import CHECKOUT, data_dir_option, data_folder, data_options, named_task, results_option
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


OPTION_GROUPS = {
    "Data": "sample data group_by allow_pickle image_size augmentation data_dir feature_cache",
    "Search": "arms trials epochs search scheduler spaces sets backbone metric configs seed",
    "Training": "confirm_seeds folds ensemble weights precision keep_epochs goes_on_from",
    "Machine": "gpus gpus_per_trial concurrent address",
    "Output": "name results dry_run quiet",
}


@click.command(cls=GroupedOptionsCommand, groups=OPTION_GROUPS)
@click.argument("task")
@click.option("--sample", is_flag=True, help="Ask the same of a small generated data set; no network, minutes.")
@click.option("--data", metavar="PATH|URL", help="Archive, folder, CSV table or URL of the images.")
@data_options
@click.option("--image-size", type=int, metavar="PIXELS", help="Side of the square image a network sees.")
@click.option(
    "--augmentation",
    metavar="none|views=K|live",
    help="Of training images; views=K: K fixed variants of each, computed once.  [default: the task's]",
)
@click.option(
    "--feature-cache",
    type=float,
    default=20.0,
    show_default=True,
    metavar="GB",
    help="Disk space for outputs of frozen layers, computed once for all trials; 0 keeps none.",
)
@click.option("--arms", metavar="A,B", help="Arms to compare, and `pixels` (of boxes `mean_box`), a simple baseline.")
@click.option("--trials", type=int, metavar="N", help="Configurations searched per arm.  [default: 20]")
@click.option("--epochs", type=int, metavar="N", help="Epochs of a trial that is not stopped.  [default: the task's]")
@click.option(
    "--search",
    type=click.Choice(get_args(SearchName)),
    default="optuna",
    show_default=True,
    help="How configurations are proposed; optuna is TPE.",
)
@click.option(
    "--scheduler",
    type=click.Choice(stopping_rules()),
    default="asha",
    show_default=True,
    help="Rule that stops trials early.",
)
@click.option("--space", "spaces", multiple=True, metavar="AXIS=LOW..HIGH|A,B", help="Search an axis over this range.")
@click.option("--set", "sets", multiple=True, metavar="AXIS=VALUE", help="Fix an axis or a constant.")
@click.option("--backbone", metavar="NAME", help="Short for --set backbone=NAME.")
@click.option("--metric", help="Validation metric to optimize, such as val_macro_f1.  [default: the task's]")
@click.option("--configs", metavar="FILE|published", help="Train these configurations; no search, no stopping.")
@click.option(
    "--seed", type=int, default=0, show_default=True, metavar="N", help="Determines every draw and initial weight."
)
@click.option(
    "--confirm-seeds",
    type=int,
    metavar="N",
    help="Seeds each arm's best is trained with again.  [default: 3; sample 1]",
)
@click.option("--folds", type=int, metavar="K", help="Few images: confirm on K folds of the non-test images.")
@click.option("--ensemble", type=int, metavar="K", help="Add a row per arm: the K best of its search, averaged.")
@click.option("--weights", type=click.Path(path_type=Path), help="File of the backbone's weights; no download.")
@click.option(
    "--precision",
    type=click.Choice(get_args(Precision)),
    default="float32",
    show_default=True,
    help="Number format of the computation.",
)
@click.option("--keep-epochs", type=int, metavar="N", help="Keep every N-th epoch of every trial, for --from.")
@click.option(
    "--from",
    "goes_on_from",
    metavar="STUDY/TRIAL@EPOCH",
    help="Continue this trial with its settings, except those of --set and --space.",
)
@click.option("--gpus", type=int, default=0, metavar="N", help="GPUs the study may use.  [default: 0, processors only]")
@click.option(
    "--gpus-per-trial", type=float, metavar="SHARE", help="Share of a GPU per trial, such as 0.5.  [default: by memory]"
)
@click.option("--concurrent", type=int, metavar="N", help="Trials at once.  [default: as many as fit]")
@click.option("--address", help="A running Ray cluster: auto, or 10.0.0.1:6379.  [default: this machine]")
@click.option("--name", help="Name of the study's folder.  [default: date and time]")
@click.option("--dry-run", is_flag=True, help="Print the plan and stop.")
@click.option("--quiet", is_flag=True, help="Print the final table only.")
@results_option
@data_dir_option
def tune(task: str, dry_run: bool, backbone: str | None, **options: Any) -> None:
    """Search every arm of TASK equally, confirm and test the best, print the table.

    \b
    python cli.py tune food10 --gpus 2 --gpus-per-trial 0.5
    python cli.py tune food10 --sample --arms from_scratch,fine_tuned,pixels
    python cli.py tune food10 --space learning_rate=1e-5..1e-3 --set batch_size=64
    python cli.py tune images --data ~/birds --gpus 2
    """
    from tuning.plan.settings import StudySettings, UsageError

    resolved = named_task(task)
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

    from commands.base.output import outlive_readers
    from commands.base.progress import open_with_bars
    from datasets.store.notices import notices_of
    from tuning.plan.make_plan import make_plan
    from tuning.plan.plan_text import render_plan
    from tuning.plan.resources import machine_share
    from tuning.plan.study_folder import make_folder

    outlive_readers()
    console = Console(highlight=False)
    node_cores: list[float] = []
    if settings.address is not None:  # a trial's share depends on how large the cluster is
        from tuning.execution import ray_cluster

        ray_cluster.start_ray(settings.address)
        node_cores = ray_cluster.node_cores()
    name = settings.name or time.strftime("%Y-%m-%d-%H%M%S")
    plan = make_plan(task, settings, machine_share(settings, node_cores), name)
    text = render_plan(plan)
    if dry_run:
        console.print(text, markup=False, soft_wrap=not console.is_terminal)
        for notice in notices_of(plan.task.dataset):  # others are known once the images are decoded
            click.echo(f"note: {notice}")
        return
    console.quiet = settings.quiet
    make_folder(plan)
    try:
        console.print(text, markup=False, soft_wrap=not console.is_terminal)

        def prepared(dataset: Dataset) -> Path:
            return open_with_bars(dataset, settings.data_dir, settings.data, settings.quiet).path

        store = prepared(plan.task.dataset)
        arms = [planned.arm for planned in plan.arms]
        pretraining = {arm.name: prepared(arm.pretraining.dataset) for arm in arms if arm.pretraining is not None}
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
    tell_notices(opened, plan.task.dataset)
    console.print(f"images    {counted(opened)}\nstarting Ray ...")
    from reporting.formats.summarize import summarize_text
    from reporting.plots.learning_curves import NAME as CURVES
    from reporting.plots.live_curves import LiveCurves
    from reporting.report.derived_files import write_derived
    from tuning.execution import ray_cluster
    from tuning.listeners.progress import Progress

    try:
        dashboard = ray_cluster.start_ray(plan.settings.address, console.print)
        ray_cluster.check_gpus(plan.settings.gpus)
        from tuning.execution import study
        from tuning.plan.command_line import typed_command

        if dashboard:
            token = "  (it asks for the token that `.venv/bin/ray get-auth-token` prints)"
            console.print(f"Ray dashboard: http://{dashboard}{token}", soft_wrap=True)
        console.print(f"TensorBoard:   tensorboard --logdir {StudyPaths(plan.folder).tensorboard}", soft_wrap=True)
        console.print(f"curves so far: {StudyPaths(plan.folder).plot(CURVES)}", soft_wrap=True)
        progress = Progress(console, plan.settings.quiet, ray_cluster.trial_phase)
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
    from inspection.evaluation.evaluation import evaluations, write_evaluations
    from inspection.loading.best_model import InspectionError

    draw_boxes(plan.folder, opened)
    if record.status == "fatal":
        fail(record.reason)
    with suppress(InspectionError):  # nothing of a study without a winner that names classes
        write_evaluations(plan.folder, evaluations(plan.folder))
    click.echo(summarize_text([plan.folder], "table"))
    click.echo(f"study: {plan.folder}")
    click.echo(f"why to believe it, and what to run next: python cli.py report {_named(plan)}")
    return 0 if all(record.confirmed(arm.arm.name) for arm in plan.arms) else 1


def _named(plan: StudyPlan) -> str:
    """Return the study's name as other commands find it without further options."""
    known = plan.settings.results.resolve() == CHECKOUT / "results"
    return f"{plan.task.name}/{plan.name}" if known else shlex.quote(str(plan.folder))
