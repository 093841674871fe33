"""The command `predict`: what a winner, or an ImageNet model, says of images from anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from commands.base.options import results_option


@click.command()
@click.argument("arguments", nargs=-1, required=True, metavar="[TASK|STUDY] IMAGE...")
@click.option("--arm", help="This arm's winner.  [default: the best on validation]")
@click.option("--model", metavar="NAME", help="An ImageNet model as it comes, instead of a study (see `backbones`).")
@click.option(
    "--weights", type=click.Path(path_type=Path), metavar="FILE", help="Weights of --model, with its classifier."
)
@click.option(
    "--top", type=int, default=5, show_default=True, metavar="K", help="Classes to name, most probable first."
)
@click.option("--format", "form", type=click.Choice(["text", "json", "csv"]), default="text", show_default=True)
@results_option
def predict(
    arguments: tuple[str, ...],
    arm: str | None,
    model: str | None,
    weights: Path | None,
    top: int,
    form: str,
    results: Path,
) -> None:
    """Print class names and probabilities of images.

    IMAGE is a file, folder, 'pattern*', address, or - for standard input.

    Each image is decoded and resized as the study's test images were. An unreadable image is reported in one line; the
    others are predicted, and the exit status is 2.

    \b
    python cli.py predict food10 lunch.jpg
    python cli.py predict food10/first photos/ --arm from_scratch --top 1 --format csv
    curl -s https://example.org/lunch.jpg | python cli.py predict food10 -
    python cli.py predict --model EfficientNetLite0 lunch.jpg
    """
    from tuning.plan.settings import UsageError

    if top < 1:
        raise UsageError(f"--top is {top}, but must be at least 1")
    study, named = (None, arguments) if model else (arguments[0], arguments[1:])
    if model and arm:
        raise UsageError("--arm is a study's, but --model takes none; leave one out")
    if weights and not model:
        raise UsageError("--weights goes with --model; a study's winner has its own")
    if not named:
        raise UsageError(f"no image is named; give files, folders, addresses or - after the study {study}")
    from commands.base.progress import tell
    from inspection.prediction import input_images

    found = input_images.find(named, tell)  # before anything heavy: a wrong path should cost no seconds
    from inspection.loading import load_model
    from inspection.loading.best_model import winner
    from inspection.prediction import imagenet, predict
    from tuning.records.find_study import find_study

    if study is not None:
        chosen = winner(find_study(results, study), arm)
        title = f"{chosen.title}: {chosen.score} at {chosen.view.image_size} px"
        seen, batch, names = input_images.seen_by(chosen), load_model.BATCH, chosen.names
        answer = load_model.load_classifier(chosen)
    else:
        title, seen, answer = imagenet.load(str(model), weights)
        title, batch, names = f"{title}, ImageNet's 1000 classes", imagenet.BATCH, imagenet.names
    click.echo(title, err=True)
    failed: list[str] = []

    def heard() -> Iterator[predict.Answer]:
        for said in predict.answers(input_images.read(found, seen), answer, names, top, batch):
            if said.failure:
                failed.append(said.image)
                click.echo(f"{said.image}: {said.failure}", err=True)
            yield said

    for line in predict.rendered(heard(), form):
        click.echo(line)
    if failed:
        raise click.exceptions.Exit(2)
