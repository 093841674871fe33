"""The door: parse, call, print. Nothing heavy is imported before a command needs it; --help answers in under 0.3 s."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from tuning.settings import Precision, SchedulerName, SearchName

if TYPE_CHECKING:
    from rich.console import Console

    from tasks.task import Task
    from tuning.plan import StudyPlan
    from tuning.settings import StudySettings

CHECKOUT = Path(__file__).resolve().parent


class Door(click.Group):
    """One boundary for everything a user can get wrong: one line, exit status 2. Any other traceback is a bug."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)  # in the order a study goes, not the alphabet's

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise click.exceptions.Exit(130) from None
        except click.UsageError as error:
            _fail(error.format_message())
        except OSError as error:
            if error.filename is None and error.errno is None:
                raise
            place = f" ({error.filename})" if error.filename else ""
            _fail(f"{error.strerror or error}{place}")
        except Exception as error:
            if not isinstance(error, _user_errors()):
                raise
            _fail(str(error))


def _user_errors() -> tuple[type[Exception], ...]:
    from datasets.dataset import DataError
    from search_spaces.space import SpaceError
    from tasks.task import UnknownTask
    from tuning.records import StudyNotFound
    from tuning.settings import UsageError

    return DataError, SpaceError, UnknownTask, StudyNotFound, UsageError


def _fail(message: str) -> None:
    click.echo(f"Error: {' '.join(message.split())}", err=True)
    raise click.exceptions.Exit(2)


def results_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--results",
        type=click.Path(path_type=Path, file_okay=False),
        default=CHECKOUT / "results",
        envvar="PODIUM_RESULTS",
        show_envvar=True,
        help="Folder of studies.  [default: results/ of the checkout]",
    )(command)


def data_dir_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--data-dir",
        type=click.Path(path_type=Path, file_okay=False),
        default=None,
        envvar="PODIUM_DATA_DIR",
        show_envvar=True,
        help="Folder of image stores and downloads.  [default: the user's cache folder]",
    )(command)


@click.group(cls=Door, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def cli() -> None:
    """Hyperparameter search on Ray Tune for image classification with Keras.

    \b
    python cli.py tasks                     what can be asked
    python cli.py tune food10 --sample      a whole study in minutes, without a network
    python cli.py tune food10 --gpus 2      the real one
    python cli.py summarize food10          its table, published numbers beside
    """


@cli.command()
def tasks() -> None:
    """What can be asked: tasks with their arms, data and source."""
    from tasks.task import load_task, task_names

    for name in task_names():
        task = load_task(name)
        click.echo(f"{name}: {task.title}")
        click.echo(f"  data    {task.dataset.title}, {len(task.dataset.classes)} classes")
        click.echo(f"  source  {task.source}")
        for arm in task.arms:
            axes = ", ".join(axis.name for axis in arm.space.drawn)
            click.echo(f"  arm     {arm.name}: {arm.label}; {arm.max_epochs} epochs, {arm.view.image_size} px")
            click.echo(f"          varies {axes}")
        click.echo(f"  sample  {'yes, --sample' if task.sample else 'no'}")


@cli.group()
def datasets() -> None:
    """Build an image store, or look into one."""


@datasets.command()
@click.argument("task")
@click.option("--from", "origin", metavar="PATH|URL", help="Archive, extracted folder or URL of the images.")
@click.option("--sample", is_flag=True, help="The small generated data set.")
@data_dir_option
@click.option("--quiet", is_flag=True, help="No progress.")
def prepare(task: str, origin: str | None, sample: bool, data_dir: Path | None, quiet: bool) -> None:
    """Decode TASK's images once into a store that every trial maps.

    \b
    python cli.py datasets prepare food10 --from ~/Downloads/food-101.tar.gz
    """
    from datasets.dataset import SPLITS
    from datasets.store import ImageStore

    path = _prepare(_dataset_task(task, sample), origin, data_dir, quiet)
    store = ImageStore.open(path)
    counts = ", ".join(f"{len(store.indices(split))} {split}" for split in SPLITS)
    click.echo(f"{path}\n{counts}; {len(store.classes)} classes; fingerprint {store.fingerprint[:12]}")
    _tell_notices(store)


@datasets.command()
@click.argument("task")
@click.option("--sample", is_flag=True, help="The small generated data set.")
@click.option("--picture", type=click.Path(path_type=Path, dir_okay=False), help="Where to write the picture (PNG).")
@data_dir_option
def describe(task: str, sample: bool, picture: Path | None, data_dir: Path | None) -> None:
    """Images by class and split, sizes, and the pixels' statistics, as text and as a picture."""
    from datasets import statistics
    from datasets.picture import draw_statistics
    from datasets.store import ImageStore

    resolved = _dataset_task(task, sample)
    store = ImageStore.open(_prepare(resolved, None, data_dir, quiet=False))
    described = statistics.describe(store)
    click.echo(statistics.render_text(described))
    target = picture or Path(f"{resolved.dataset.name}.png")
    draw_statistics(described, store, target)
    click.echo(f"picture: {target}")


@cli.command()
@click.argument("task")
@click.option("--sample", is_flag=True, help="The same question, small: generated images, no network, minutes.")
@click.option("--data", metavar="PATH|URL", help="Archive, extracted folder or URL of the images.")
@click.option("--gpus", type=int, default=0, help="GPUs the study may use.  [default: 0, processors alone]")
@click.option(
    "--gpus-per-trial", type=float, help="Part of a GPU for each trial, such as 0.5.  [default: by its memory]"
)
@click.option("--concurrent", type=int, help="Trials at once.  [default: what the machine or the GPUs hold]")
@click.option("--trials", type=int, help="Configurations searched per arm.  [default: 20]")
@click.option("--epochs", type=int, help="Epochs of a trial that is not stopped.  [default: as the document has it]")
@click.option("--arms", metavar="A,B", help="Arms to compare; `pixels` is a baseline of every task.")
@click.option("--confirm-seeds", type=int, help="Seeds each arm's best is trained with again.  [default: 3; sample 1]")
@click.option("--configs", metavar="FILE|published", help="Train exactly these configurations: no search, no stopping.")
@click.option("--search", type=click.Choice(get_args(SearchName)), default="optuna", show_default=True)
@click.option(
    "--scheduler", type=click.Choice(get_args(SchedulerName)), default="asha", show_default=True, help="Early stopping."
)
@click.option(
    "--space", "spaces", multiple=True, metavar="AXIS=LOW..HIGH|A,B", help="Search an axis over another range."
)
@click.option("--set", "sets", multiple=True, metavar="AXIS=VALUE", help="Hold an axis or a constant at a value.")
@click.option("--metric", help="Validation metric that decides, such as val_macro_f1.  [default: val_accuracy]")
@click.option(
    "--augmentation",
    metavar="none|views=K|live",
    help="Of training images; views=K: K fixed variants of each, computed once.  [default: as the document]",
)
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
def tune(task: str, dry_run: bool, **options: Any) -> None:
    """Search every arm of TASK equally hard, confirm the best, test them once, print the table.

    \b
    python cli.py tune food10 --gpus 2 --gpus-per-trial 0.5
    python cli.py tune food10 --sample --arms from_scratch,fine_tuned,pixels
    python cli.py tune food10 --space learning_rate=1e-5..1e-3 --set batch_size=64
    """
    from tasks.task import load_task
    from tuning.settings import StudySettings

    resolved = load_task(task)
    options["data_dir"] = _data_dir(options["data_dir"])
    options["arms"] = tuple(name.strip() for name in options["arms"].split(",")) if options["arms"] else ()
    settings = StudySettings(**options)
    _tune(resolved, settings, dry_run)


def _tune(task: Task, settings: StudySettings, dry_run: bool) -> None:
    from tuning.folder import make_folder
    from tuning.plan import make_plan
    from tuning.plan_text import render_plan
    from tuning.resources import machine_share

    console = _console()
    cluster_cores = None
    if settings.address is not None:  # a trial's share depends on how large the cluster is
        from tuning import cluster

        cluster.start_ray(settings.address)
        cluster_cores = cluster.cluster_cores()
    name = settings.name or time.strftime("%Y-%m-%d-%H%M%S")
    plan = make_plan(task, settings, machine_share(settings, cluster_cores), name)
    if not dry_run:
        make_folder(plan)
    if not settings.quiet or dry_run:
        console.print(render_plan(plan), highlight=False, markup=False, soft_wrap=not console.is_terminal)
    if dry_run:
        return
    try:
        store = _prepare(plan.task, settings.data, settings.data_dir, settings.quiet)
        record_status = _run(plan, store, console)
    except BaseException:
        if not (plan.folder / "events.jsonl").exists():
            plan.folder.rmdir()  # nothing happened: leave no empty study behind
        raise
    raise click.exceptions.Exit(record_status)


def _run(plan: StudyPlan, store: Path, console: Console) -> int:
    """Run the study, write what derives from it, print its table. Returns the exit status."""
    from datasets.store import ImageStore

    _tell_notices(ImageStore.open(store))
    if not plan.settings.quiet:
        console.print("starting Ray ...", highlight=False)
    from reporting.files import write_derived
    from reporting.render import summarize_text
    from tuning import cluster
    from tuning.progress import Progress

    dashboard = cluster.start_ray(plan.settings.address)
    try:
        cluster.check_gpus(plan.settings.gpus)
        from tuning import study

        if not plan.settings.quiet:
            if dashboard:
                token = "  (it asks for the token that `.venv/bin/ray get-auth-token` prints)"
                console.print(f"Ray dashboard: http://{dashboard}{token}", highlight=False, soft_wrap=True)
            console.print(
                f"TensorBoard:   tensorboard --logdir {plan.folder / 'tensorboard'}", highlight=False, soft_wrap=True
            )
        record = study.run_study(plan, store, Progress(console, plan.settings.quiet), study.default_command())
    except KeyboardInterrupt:
        if (plan.folder / "events.jsonl").exists():
            write_derived(plan.folder)
            click.echo(
                f"\ninterrupted; what was done is kept: python cli.py summarize {plan.task.name}/{plan.name}", err=True
            )
        raise
    finally:
        cluster.stop_ray()
    write_derived(plan.folder)
    if record.status == "fatal":
        _fail(record.reason)
    click.echo(summarize_text([plan.folder], "table"))
    click.echo(f"study: {plan.folder}")
    return 0 if all(record.confirmed(arm.arm.name) for arm in plan.arms) else 1


@cli.command()
@click.argument("studies", nargs=-1, metavar="[TASK|STUDY]...")
@click.option(
    "--format", "form", type=click.Choice(["table", "markdown", "csv", "json"]), default="table", show_default=True
)
@results_option
def summarize(studies: tuple[str, ...], form: str, results: Path) -> None:
    """The comparison table of a study, published numbers beside the measured ones.

    A TASK stands for its newest study; without any argument, the newest study of every task.

    \b
    python cli.py summarize food10
    python cli.py summarize food10/first food10/second --format markdown
    """
    from reporting.render import summarize_text
    from tuning.records import StudyNotFound, find_studies, find_study

    names = studies or tuple(dict.fromkeys(study.parent.name for study in find_studies(results)))
    if not names:
        raise StudyNotFound(f"{results} holds no study yet; run `python cli.py tune food10 --sample` first")
    click.echo(summarize_text([find_study(results, name) for name in names], form))


def _console() -> Console:
    from rich.console import Console

    return Console()


def _dataset_task(name: str, sample: bool) -> Task:
    from tasks.task import load_task
    from tuning.settings import UsageError

    task = load_task(name)
    if not sample:
        return task
    if task.sample is None:
        raise UsageError(f"{name} has no sample; leave out --sample")
    return task.sample


def _data_dir(path: Path | None) -> Path:
    """The folder of stores: as asked, or the user's cache folder."""
    if path is not None:
        return path.expanduser().resolve()
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "podium"


def _prepare(task: Task, origin: str | None, data_dir: Path | None, quiet: bool) -> Path:
    """The task's store, built with a progress bar where it is missing."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from datasets.store import prepare as prepare_store

    console = _console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal, transient=True) as bars:
        bar_of: dict[str, Any] = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in bar_of:
                bar_of[what] = bars.add_task(what, total=total)
            bars.update(bar_of[what], completed=done, total=total)

        return prepare_store(task.dataset, _data_dir(data_dir), origin, progress)


def _tell_notices(store: Any) -> None:
    for notice in store.notices:
        click.echo(f"note: {notice}")
    for name, reason in list(store.broken.items())[:5]:
        click.echo(f"skipped: {name}: {reason}")
    if len(store.broken) > 5:
        click.echo(f"skipped: {len(store.broken) - 5} more")


if __name__ == "__main__":
    sys.path.insert(0, str(CHECKOUT))
    cli()
