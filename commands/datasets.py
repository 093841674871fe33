"""Image stores: built, looked into, turned into features, and arrays made of a pickle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commands.base.error_handling import OneLineErrorGroup
from commands.base.options import asked_task, data_dir_option, data_folder, data_options
from search_spaces.backbones import POOLINGS

if TYPE_CHECKING:
    from tasks.task import Arm, Task


def _image_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Declare which images of a task are meant, and how they are read: the arguments of `asked_task`."""
    data = click.option("--from", "data", metavar="PATH|URL", help="Archive, extracted folder or URL of the images.")
    sample = click.option("--sample", is_flag=True, help="Use the small generated data set.")
    return data(data_options(sample(command)))


@click.group(cls=OneLineErrorGroup)
def datasets() -> None:
    """Build an image store, describe it, or export features."""


@datasets.command()
@click.argument("task")
@_image_options
@data_dir_option
@click.option("--quiet", is_flag=True, help="No progress.")
def prepare(task: str, data_dir: Path | None, quiet: bool, **source: Any) -> None:
    """Decode TASK's images once into the store that all trials read.

    \b
    python cli.py datasets prepare food10 --from ~/Downloads/food-101.tar.gz
    python cli.py datasets prepare images --from ~/birds
    """
    from commands.base.progress import counted, open_with_bars, tell_notices
    from errors import pluralize

    dataset = asked_task(task, **source).dataset
    store = open_with_bars(dataset, data_folder(data_dir), source["data"], quiet)
    classes = pluralize(len(store.classes), "class", "classes")
    click.echo(f"{store.path}\n{counted(store)}; {classes}; fingerprint {store.fingerprint[:12]}")
    tell_notices(store, dataset)


@datasets.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
def convert(source: Path, target: Path) -> None:
    """Convert a pickle of traffic signs (SOURCE) to arrays (TARGET.npz); no code of it runs.

    \b
    python cli.py datasets convert data2.pickle signs.npz
    """
    from datasets.sources.traffic_sign_arrays import convert as convert_signs

    click.echo(f"{target}: {convert_signs(source, target)} images")


@datasets.command()
@click.argument("task")
@_image_options
@click.option("--picture", type=click.Path(path_type=Path, dir_okay=False), help="Draw them to this file (PNG).")
@data_dir_option
def describe(task: str, picture: Path | None, data_dir: Path | None, **source: Any) -> None:
    """Describe TASK's images: classes, splits, sizes, duplicates, pixel statistics."""
    from commands.base.progress import open_with_bars
    from datasets.store import statistics
    from datasets.store.notices import notices_of
    from datasets.store.statistics_plot import draw_statistics

    dataset = asked_task(task, **source).dataset
    store = open_with_bars(dataset, data_folder(data_dir), source["data"], quiet=False)
    described = statistics.describe(store)
    click.echo(statistics.render_text(described, notices_of(dataset)))
    if picture is None:
        click.echo("--picture FILE.png draws classes, sizes and pixel values")
    else:
        draw_statistics(described, picture)
        click.echo(f"picture: {picture}")


@datasets.command()
@click.argument("task")
@click.option("--backbone", metavar="NAME", help="A name of `backbones`.  [default: the task's]")
@click.option(
    "--pooling",
    type=click.Choice(POOLINGS),
    default="flatten",
    show_default=True,
    help="All values of the last feature maps, or the mean of each map.",
)
@click.option(
    "--image-size",
    type=click.IntRange(8, 2048),
    help="Side of the images in pixels.  [default: the task's, or the backbone's]",
)
@click.option("--weights", type=click.Path(path_type=Path), help="File of the backbone's weights; no download.")
@_image_options
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE.h5", help="Target file.  [default: named by its content]"
)
@click.option("--overwrite", is_flag=True, help="Replace a file that exists.")
@data_dir_option
@click.option("--quiet", is_flag=True, help="No progress.")
def features(
    task: str,
    backbone: str | None,
    pooling: str,
    image_size: int | None,
    weights: Path | None,
    out: Path | None,
    overwrite: bool,
    data_dir: Path | None,
    quiet: bool,
    **source: Any,
) -> None:
    """Write a frozen backbone's features of every image of TASK to an HDF5 file.

    \b
    python cli.py datasets features flowers17 --backbone VGG16
    python cli.py datasets features food10 --sample --pooling average --out food.h5

    The file holds features (float32, one row an image), labels, split, names and class_names. Its attributes name the
    backbone, weights, image size and preprocessing. Test images are included; `split` marks them.
    """
    from commands.base.progress import bars, counted, open_with_bars, tell_notices
    from datasets.input_config import InputConfig
    from trainables.models.backbones import registry
    from tuning.plan.settings import UsageError

    asked = asked_task(task, **source)
    arm = _starting_from(asked, backbone)
    if backbone is None and arm is None:
        raise UsageError(f"--backbone is missing, and no arm of {asked.name} starts from one; name one, such as VGG16")
    found = registry.find(backbone or arm.space.choices("backbone")[0])  # type: ignore[union-attr]
    shown = InputConfig(image_size=found.image_size, fit="shorter_side") if arm is None else arm.view
    view = InputConfig(image_size=image_size or shown.image_size, fit=shown.fit)
    target = out or Path(f"{asked.dataset.name}-{found.name}-{pooling}-{view.image_size}px.h5")
    if target.is_dir() or not target.parent.is_dir():
        raise UsageError(f"--out is {target}, but must be a file in a folder that exists")
    if target.exists() and not overwrite:
        raise UsageError(f"{target} exists; choose another --out, or replace it with --overwrite")
    store = open_with_bars(asked.dataset, data_folder(data_dir), source["data"], quiet)

    from inspection.loading.silence_tensorflow import start_tensorflow

    start_tensorflow()
    from trainables.features.feature_extraction import Extraction, extract

    what = Extraction(backbone=found, pooling=pooling, view=view, weights=weights)
    with bars(quiet) as progress:
        images, columns = extract(store, what, target, progress)
    click.echo(
        f"{target}\n{images:,} images ({counted(store)}) x {columns:,} features of {found.name} at "
        f"{view.image_size} px, {target.stat().st_size / 1e6:,.0f} MB"
    )
    tell_notices(store, asked.dataset)


def _starting_from(task: Task, backbone: str | None) -> Arm | None:
    """Return the arm whose image size and preprocessing the backbone gets; rather one that learns on features."""
    from trainables.learners.registry import find_learner

    arms = [arm for arm in (*task.arms, *task.more_arms) if arm.space.choices("backbone")]
    named = [arm for arm in arms if str(backbone).lower() in (str(b).lower() for b in arm.space.choices("backbone"))]
    return min(named or arms, key=lambda arm: not find_learner(arm.learner).uses_features, default=None)
