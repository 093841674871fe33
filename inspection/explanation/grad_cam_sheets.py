"""Grad-CAM and feature maps of a winner, as sheets and for TensorBoard."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inspection.explanation import image_grids
from inspection.explanation.feature_map_layers import block_ends, check_layers, default_layers, maps_layers
from inspection.explanation.grad_cam import grad_cam
from inspection.explanation.image_grids import GridCell
from inspection.loading.best_model import InspectionError, Winner
from inspection.loading.load_model import load_network
from reporting.plots.figure import save_figure
from tuning.records.study_paths import StudyPaths

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_CLASSES = 12  # of which one validation image each is shown
MAPS_OF = 4  # images in a sheet of feature maps


def convolutional(winners: Sequence[Winner]) -> list[Winner]:
    """Return the winners that are Keras networks.

    Raises:
        InspectionError: None is.
    """
    found = [winner for winner in winners if winner.is_keras]
    if not found:
        arms = ", ".join(winner.title for winner in winners)
        raise InspectionError(f"{arms}: no Keras network, so there are no feature maps to look at")
    return found


def validation_subjects(winner: Winner) -> list[GridCell]:
    """Return the first validation image of each of the first twelve classes.

    Test images would be one more opening of the test split.
    """
    images = winner.images("val")
    first = np.unique(images.labels, return_index=True)[1][:MOST_CLASSES]
    squares = [square for batch in images.batches(MOST_CLASSES, first) for square in batch]
    names = [images.store.names[index] for index in images.indices[first]]
    lines = [(f"is {winner.classes[label]}",) for label in images.labels[first]]
    described = zip(names, squares, lines, strict=True)
    return [GridCell(title=name, pixels=square, lines=line) for name, square, line in described]


def explain(
    winner: Winner, subjects: Sequence[GridCell], layers: Sequence[str], out: Path, tell: Callable[[str], None]
) -> None:
    """Write the winner's sheets below out/<arm>/ and into the study's TensorBoard.

    Args:
        winner: The model.
        subjects: The images.
        layers: Layers of heat maps; none means `feature_map_layers.default_layers`.
        out: Folder of the sheets.
        tell: Called with one line for each file.

    Raises:
        InspectionError: There are no feature maps, or a layer is unknown.
    """
    network = load_network(winner.paths.keras)
    ends = block_ends(network)
    heat = check_layers(network, list(layers)) or default_layers(network)
    found = grad_cam(network, np.stack([subject.pixels for subject in subjects]), heat)
    sizes = {name: " x ".join(map(str, size)) for name, size in maps_layers(network).items()}
    shown = [
        replace(subject, lines=(*subject.lines, *_answer(winner, row)))
        for subject, row in zip(subjects, found.probabilities, strict=True)
    ]
    drawn: dict[str, Path] = {}

    def keep(figure: Figure, tag: str) -> None:
        drawn[tag] = out / winner.arm / f"{tag}.png"
        save_figure(figure, drawn[tag])
        tell(str(drawn[tag]))

    pages = range(0, len(shown), image_grids.ROWS)
    for page, start in enumerate(pages, start=1):
        rows = range(start, min(start + image_grids.ROWS, len(shown)))
        overlays = {
            name: [image_grids.overlay(subjects[row].pixels, found.heat[name][row]) for row in rows] for name in heat
        }
        columns = [(f"{name}\n{sizes[name]}", pictures) for name, pictures in overlays.items()]
        title = f"Grad-CAM of the most probable class: {winner.title}"
        sheet = image_grids.heat_sheet([shown[row] for row in rows], columns, title)
        keep(sheet, "grad_cam" if len(pages) == 1 else f"grad_cam_{page}")
    few = np.stack([subject.pixels for subject in subjects[:MAPS_OF]])
    maps_of = grad_cam(network, few, heat=(), maps=tuple(ends.values())).maps
    for number, (block, name) in enumerate(ends.items(), start=1):
        maps = maps_of[name]
        title = (
            f"Feature maps of {block} ({name}, {sizes[name]}): the {min(image_grids.CHANNELS, maps.shape[-1])} of "
            f"{maps.shape[-1]} that vary most. {winner.title}"
        )
        keep(image_grids.maps_sheet(shown[:MAPS_OF], maps, title), f"feature_maps/{number:02d}_{block}")
    to_tensorboard(StudyPaths(winner.study).tensorboard / f"explain-{winner.arm}", drawn)


def to_tensorboard(folder: Path, drawn: Mapping[str, Path]) -> None:
    """Write the sheets as image summaries of a run of their own, in place of earlier ones.

    Args:
        folder: The study's TensorBoard folder.
        drawn: Paths of the sheets by name.
    """
    from PIL import Image
    from tensorboardX import SummaryWriter

    shutil.rmtree(folder, ignore_errors=True)
    with SummaryWriter(str(folder)) as writer:
        for tag, path in drawn.items():
            with Image.open(path) as sheet:
                writer.add_image(tag, np.asarray(sheet.convert("RGB")), dataformats="HWC")


def _answer(winner: Winner, row: NDArray[np.float32]) -> list[str]:
    """Return the most probable classes of one image, with their probabilities."""
    names = winner.names(len(row))
    return [f"{row[label]:6.1%} {names[label]}" for label in np.argsort(-row, kind="stable")[: image_grids.NAMED]]
