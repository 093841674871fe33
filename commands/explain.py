"""The command `explain`: Grad-CAM and feature maps of a study's networks."""

from __future__ import annotations

from pathlib import Path

import click

from commands.base.options import names_option, results_option
from tuning.records.study_paths import StudyPaths


@click.command()
@click.argument("study", metavar="TASK|STUDY")
@click.argument("images", nargs=-1, metavar="[IMAGE]...")
@click.option("--arm", "arms", multiple=True, help="This arm's winner; repeatable.  [default: every network]")
@names_option("--layers", help="Where heat maps are drawn.  [default: the last block of each size]")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of sheets.  [default: explain/ of the study]",
)
@results_option
def explain(
    study: str, images: tuple[str, ...], arms: tuple[str, ...], layers: tuple[str, ...], out: Path | None, results: Path
) -> None:
    """Draw where winners look (Grad-CAM) and the feature maps of every block.

    Without IMAGE, one validation image of each class is used; the test split stays closed. Sheets are PNG files, also
    shown in the study's TensorBoard.

    \b
    python cli.py explain food10
    python cli.py explain dogs_vs_cats cat.jpg dog.jpg --arm sgd --arm adam --layers block6a_project_bn,top_activation
    """
    from commands.base.progress import tell
    from inspection.loading.best_model import chosen
    from inspection.prediction import input_images
    from tuning.records.find_study import find_study

    folder = find_study(results, study)
    found = input_images.find(images, tell)
    winners = chosen(folder, arms)
    from inspection.explanation import grad_cam_sheets
    from inspection.explanation.image_grids import GridCell

    failed: dict[str, str] = {}
    for winner in grad_cam_sheets.convolutional(winners):
        pictures = list(input_images.read(found, input_images.seen_by(winner)))
        failed |= {picture.name: picture.failure for picture in pictures if picture.pixels is None}
        seen = [(Path(picture.name).name, picture.pixels) for picture in pictures]
        subjects = [GridCell(title=name, pixels=pixels) for name, pixels in seen if pixels is not None]
        if not images:
            subjects = grad_cam_sheets.validation_subjects(winner)
        if subjects:
            click.echo(f"{winner.title}: {winner.score} at {winner.view.image_size} px", err=True)
            grad_cam_sheets.explain(winner, subjects, layers, out or folder / "explain", click.echo)
    for name, failure in failed.items():
        click.echo(f"{name}: {failure}", err=True)
    if failed:
        raise click.exceptions.Exit(2)
    click.echo(f"TensorBoard: tensorboard --logdir {StudyPaths(folder).tensorboard}", err=True)
