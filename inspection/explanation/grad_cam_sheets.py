"""Grad-CAM and feature maps of a winner, as sheets and for TensorBoard."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inspection.explanation import image_grids
from inspection.explanation.feature_map_layers import block_ends, check_layers, default_layers, maps_layers
from inspection.explanation.grad_cam import GradCamResult, grad_cam
from inspection.loading.best_model import InspectionError, Winner
from inspection.loading.load_model import load_network
from reporting.plots.figure import save_figure
from tuning.records.study_paths import ModelPaths, StudyPaths

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_CLASSES = 12  # of which one validation image each is shown
MAPS_OF = 4  # images in a sheet of feature maps


@dataclass(frozen=True, kw_only=True)
class ImageToExplain:
    """An image to be explained."""

    name: str
    pixels: NDArray[np.uint8]  # [S, S, 3] as the winner sees it
    true: str = ""  # its class, where it is known


def convolutional(winners: Sequence[Winner]) -> list[Winner]:
    """Those that are networks. Raises InspectionError where none is."""
    found = [winner for winner in winners if winner.is_keras]
    if not found:
        arms = ", ".join(winner.title for winner in winners)
        raise InspectionError(f"{arms}: no Keras network, so there are no feature maps to look at")
    return found


def validation_subjects(winner: Winner) -> list[ImageToExplain]:
    """The first validation image of each class, of the first twelve.

    Not test images: a look at those is one more opening of the test split.
    """
    images = winner.images("val")
    first = [int(np.flatnonzero(images.labels == label)[0]) for label in np.unique(images.labels)[:MOST_CLASSES]]
    positions = np.array(first, np.int64)
    squares = [square for batch in images.batches(MOST_CLASSES, positions) for square in batch]
    return [
        ImageToExplain(
            name=images.store.names[images.indices[position]],
            pixels=square,
            true=winner.classes[images.labels[position]],
        )
        for position, square in zip(first, squares, strict=True)
    ]


def explain(
    winner: Winner, subjects: Sequence[ImageToExplain], layers: Sequence[str], out: Path, tell: Callable[[str], None]
) -> list[Path]:
    """Write the winner's sheets below out/<arm>/ and the same into the study's TensorBoard. Returns the files.

    layers: where heat maps are drawn; none means where `feature_map_layers.default_layers` says. tell: hears a line for
    each file.
    Raises InspectionError (one line): no feature maps, an unknown layer.
    """
    network = load_network(ModelPaths(winner.folder).keras)
    ends = block_ends(network)
    heat = check_layers(network, list(layers)) or default_layers(network)
    found = grad_cam(network, np.stack([subject.pixels for subject in subjects]), heat)
    sizes = maps_layers(network)
    shown = [_shown(winner, subject, found, place) for place, subject in enumerate(subjects)]
    drawn: list[tuple[str, Path]] = []

    def keep(figure: Figure, tag: str) -> None:
        path = out / winner.arm / f"{tag}.png"
        save_figure(figure, path)
        drawn.append((tag, path))
        tell(str(path))

    pages = range(0, len(shown), image_grids.ROWS)
    for page, start in enumerate(pages, start=1):
        rows = range(start, min(start + image_grids.ROWS, len(shown)))
        columns = [
            (
                f"{name}\n{' x '.join(map(str, sizes[name]))}",
                [image_grids.overlay(subjects[row].pixels, found.heat[name][row]) for row in rows],
            )
            for name in heat
        ]
        title = f"Grad-CAM of the most probable class: {winner.title}"
        keep(
            image_grids.heat_sheet([shown[row] for row in rows], columns, title),
            "grad_cam" if len(pages) == 1 else f"grad_cam_{page}",
        )
    few = np.stack([subject.pixels for subject in subjects[:MAPS_OF]])
    maps_of = grad_cam(network, few, heat=(), maps=tuple(ends.values())).maps
    for number, (block, name) in enumerate(ends.items(), start=1):
        maps = maps_of[name]
        size = " x ".join(map(str, sizes[name]))
        title = (
            f"Feature maps of {block} ({name}, {size}): the {min(image_grids.CHANNELS, maps.shape[-1])} of "
            f"{maps.shape[-1]} that vary most. {winner.title}"
        )
        keep(image_grids.maps_sheet(shown[:MAPS_OF], maps, title), f"feature_maps/{number:02d}_{block}")
    to_tensorboard(StudyPaths(winner.study).tensorboard / f"explain-{winner.arm}", drawn)
    return [path for _, path in drawn]


def to_tensorboard(folder: Path, drawn: Sequence[tuple[str, Path]]) -> None:
    """The sheets as image summaries of a run of their own, in place of an earlier explanation's."""
    from PIL import Image
    from tensorboardX import SummaryWriter

    shutil.rmtree(folder, ignore_errors=True)
    with SummaryWriter(str(folder)) as writer:
        for tag, path in drawn:
            with Image.open(path) as sheet:
                writer.add_image(tag, np.asarray(sheet.convert("RGB")), dataformats="HWC")


def _shown(winner: Winner, subject: ImageToExplain, found: GradCamResult, place: int) -> image_grids.GridCell:
    row = found.probabilities[place]
    names = winner.names(len(row))
    best = np.argsort(-row, kind="stable")[: image_grids.NAMED]
    lines = [f"is {subject.true}"] if subject.true else []
    lines += [f"{row[label]:6.1%} {names[label]}" for label in best]
    return image_grids.GridCell(title=subject.name, pixels=subject.pixels, lines=tuple(lines))
