"""Image stores: built, looked into, and arrays made of a pickle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from commands.options import data_dir_option, data_folder, data_options, dataset_of


@click.group()
def datasets() -> None:
    """Build an image store, or look into one."""


@datasets.command()
@click.argument("task")
@click.option("--from", "origin", metavar="PATH|URL", help="Archive, extracted folder or URL of the images.")
@data_options
@click.option("--sample", is_flag=True, help="The small generated data set.")
@data_dir_option
@click.option("--quiet", is_flag=True, help="No progress.")
def prepare(
    task: str,
    origin: str | None,
    sample: bool,
    data_dir: Path | None,
    quiet: bool,
    **read: Any,
) -> None:
    """Decode TASK's images once into a store that every trial maps.

    \b
    python cli.py datasets prepare food10 --from ~/Downloads/food-101.tar.gz
    python cli.py datasets prepare images --from ~/birds
    """
    from datasets.preparing import counted, prepare_with_bars, tell_notices
    from datasets.store import ImageStore
    from search_spaces.wording import plural

    dataset = dataset_of(task, sample, origin, **read)
    path = prepare_with_bars(dataset, data_folder(data_dir), origin, quiet)
    store = ImageStore.open(path)
    classes = plural(len(store.classes), "class", "classes")
    click.echo(f"{path}\n{counted(store)}; {classes}; fingerprint {store.fingerprint[:12]}")
    tell_notices(store)


@datasets.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
def convert(source: Path, target: Path) -> None:
    """Turn a pickle of traffic signs (SOURCE) into arrays (TARGET.npz) without running anything it holds.

    \b
    python cli.py datasets convert data2.pickle signs.npz
    """
    from datasets.sign_arrays import convert as convert_signs

    click.echo(f"{target}: {convert_signs(source, target)} images")


@datasets.command()
@click.argument("task")
@click.option("--from", "origin", metavar="PATH|URL", help="Archive, extracted folder or URL of the images.")
@data_options
@click.option("--sample", is_flag=True, help="The small generated data set.")
@click.option("--picture", type=click.Path(path_type=Path, dir_okay=False), help="Where to write the picture (PNG).")
@data_dir_option
def describe(
    task: str, origin: str | None, sample: bool, picture: Path | None, data_dir: Path | None, **read: Any
) -> None:
    """Images by class and split, sizes, and the pixels' statistics, as text and as a picture."""
    from datasets import statistics
    from datasets.picture import draw_statistics
    from datasets.preparing import prepare_with_bars
    from datasets.store import ImageStore

    dataset = dataset_of(task, sample, origin, **read)
    store = ImageStore.open(prepare_with_bars(dataset, data_folder(data_dir), origin, quiet=False))
    described = statistics.describe(store)
    click.echo(statistics.render_text(described))
    target = picture or Path(f"{dataset.name}.png")
    draw_statistics(described, store, target)
    click.echo(f"picture: {target}")
