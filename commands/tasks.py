"""The command `tasks`: what can be asked."""

from __future__ import annotations

import click

from errors import pluralize


@click.command()
@click.option("--names", is_flag=True, help="Print names only, one a line.")
def tasks(names: bool) -> None:
    """List the tasks with their arms, data and source."""
    from tasks.task import load_task, task_names

    for name in task_names():
        if names:
            click.echo(name)
            continue
        task = load_task(name)
        click.echo(f"{name}: {task.title}")
        count = len(task.dataset.classes)
        classes = f", {pluralize(count, 'class', 'classes')}" if count else ": --data DIR"
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
