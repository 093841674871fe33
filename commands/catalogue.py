"""What can be asked, and with which networks."""

from __future__ import annotations

from pathlib import Path

import click

from commands.options import data_dir_option, data_folder
from search_spaces.wording import plural


@click.command()
@click.option("--names", is_flag=True, help="Their names alone, one a line.")
def tasks(names: bool) -> None:
    """What can be asked: tasks with their arms, data and source."""
    from tasks.task import load_task, task_names

    for name in task_names():
        if names:
            click.echo(name)
            continue
        task = load_task(name)
        click.echo(f"{name}: {task.title}")
        classes = (
            f", {plural(len(task.dataset.classes), 'class', 'classes')}" if task.dataset.classes else ": --data DIR"
        )
        click.echo(f"  data    {task.dataset.title}{classes}")
        click.echo(f"  source  {task.source}")
        for arm in (*task.arms, *task.more_arms):
            axes = ", ".join(axis.name for axis in arm.space.active_parameters if axis.size > 1) or "nothing"
            label = "" if arm.label == arm.name else f" {arm.label};"
            epochs = f"{arm.max_epochs} epochs" if arm.trains else "not trained"
            asked = " (named with --arms)" if arm in task.more_arms else ""
            click.echo(f"  arm     {arm.name}{asked}:{label} {epochs}, {arm.view.image_size} px")
            click.echo(f"          varies {axes}")
        click.echo(f"  sample  {'yes, --sample' if task.sample else 'no'}")


@click.command()
@click.option("--measure", metavar="A,B|all", help="Measure the latency of these on this machine first.")
@data_dir_option
def backbones(measure: str | None, data_dir: Path | None) -> None:
    """The catalogue of pre-trained networks: what can be selected with --backbone, how large, how fast."""
    from reporting.backbones import backbones_text
    from search_spaces.wording import unknown
    from trainables import latency
    from trainables.models.catalogue import CATALOGUE
    from tuning.settings import UsageError

    folder = data_folder(data_dir)
    asked = [name.strip() for name in (measure or "").split(",") if name.strip()]
    names = list(CATALOGUE) if asked == ["all"] else asked
    for name in names:
        if name not in CATALOGUE:
            raise UsageError("--measure: " + unknown("backbone", name, CATALOGUE))
    for name in names:
        click.echo(f"measuring {name} ...", err=True)
        latency.remember(folder, name, *latency.measure(name))
    click.echo(backbones_text(list(CATALOGUE.values()), latency.read(folder)))
