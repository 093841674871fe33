"""A store built under the eyes of a user: progress bars while it is made, then what a reader must know of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from datasets.dataset import SPLITS, Dataset
from datasets.store import ImageStore, prepare

SHOWN = 5  # images left out that are named


def prepare_with_bars(dataset: Dataset, data_dir: Path, origin: str | None, quiet: bool) -> Path:
    """As datasets.store.prepare; bars only on a terminal and unless quiet."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal, transient=True) as bars:
        bar_of: dict[str, Any] = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in bar_of:
                bar_of[what] = bars.add_task(what, total=total)
            bars.update(bar_of[what], completed=done, total=total)

        return prepare(dataset, data_dir, origin, progress)


def counted(store: ImageStore) -> str:
    """112 train, 24 val, 24 test."""
    return ", ".join(f"{len(store.indices(split)):,} {split}" for split in SPLITS)


def tell_notices(store: ImageStore) -> None:
    """Print what differs from what the data set promises, and which images are left out."""
    for notice in store.notices:
        click.echo(f"note: {notice}")
    for name, reason in list(store.broken.items())[:SHOWN]:
        click.echo(f"skipped: {name}: {reason}")
    if len(store.broken) > SHOWN:
        click.echo(f"skipped: {len(store.broken) - SHOWN} more")
