"""The command `layers`: what a network is made of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from inspection.explanation.model_summary import Listing
    from tasks.task import Task


@click.command()
@click.argument("subject", metavar="TASK|BACKBONE")
@click.option("--arm", help="Arm of the task.  [default: its first network]")
@click.option("--set", "sets", multiple=True, metavar="AXIS=VALUE", help="Fix an axis or a constant.")
@click.option("--image-size", type=click.IntRange(1), help="Side of the square the network sees, in pixels.")
@click.option("--picture", type=click.Path(path_type=Path, dir_okay=False), help="Draw the architecture too (PNG).")
def layers(subject: str, arm: str | None, sets: tuple[str, ...], image_size: int | None, picture: Path | None) -> None:
    """List a network's layers: index, type, shape, parameters, freeze points.

    An arm's network is built with the arm's constants and the first value of each axis. Weights are random; nothing is
    downloaded.

    \b
    python cli.py layers VGG16                        its last block begins at layer 15
    python cli.py layers traffic_signs --arm CNN_10_relu
    python cli.py layers food10 --set conv_blocks=3 --picture from_scratch.png
    """
    from errors import unknown_name
    from inspection.explanation.model_summary import layers_text, of_backbone
    from tasks.task import load_task, task_names
    from trainables.models.backbones.registry import CATALOGUE
    from tuning.plan.settings import UsageError

    if picture is not None and not picture.absolute().parent.is_dir():
        raise UsageError(f"--picture is {picture}, but there is no folder {picture.absolute().parent}")
    try:
        if subject in task_names():
            listing = _of_task(load_task(subject), arm, sets, image_size)
        elif subject.lower() in map(str.lower, CATALOGUE):
            if arm is not None or sets:
                raise UsageError(f"--arm and --set are a task's, but {subject} is a backbone; leave them out")
            listing = of_backbone(subject, image_size)
        else:
            raise UsageError(unknown_name("task or backbone", subject, (*task_names(), *CATALOGUE)))
    except ValueError as error:
        raise UsageError(str(error)) from None
    click.echo(layers_text(listing))
    if picture is not None:
        from inspection.explanation.architecture_diagram import draw

        draw(listing, picture)
        click.echo(f"picture: {picture}")


def _of_task(task: Task, arm: str | None, sets: tuple[str, ...], image_size: int | None) -> Listing:
    from inspection.explanation.model_summary import has_layers, of_arm
    from search_spaces.overrides import set_in_arms
    from tuning.plan.settings import UsageError

    listed = [one.name for one in (*task.arms, *task.more_arms) if has_layers(one.model)]
    if not listed:
        raise UsageError(f"no arm of {task.name} is a network")
    chosen = task.arm(arm or listed[0])
    if not has_layers(chosen.model):
        raise UsageError(f"--arm is {chosen.name}, which is no network; name one of {', '.join(listed)}")
    space = set_in_arms({chosen.name: chosen.space}, sets, ())[chosen.name]
    config = next(space.grid(1))
    classes = len(task.dataset.classes)
    # Of your own images the classes are known with --data alone; any number shows the same layers but the last.
    title = f"{task.name}, {chosen.name}" + ("" if classes else " as if of two classes")
    return of_arm(title, chosen.model, config, image_size or chosen.view.image_size, classes or 2)
