"""Test images with the true and the predicted box of each arm's winner: what an overlap of 0.6 looks like."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from datasets.store.image_store import ImageStore
from reporting.plots.figure import new_figure, save_figure
from reporting.results.headings import titled
from tuning.records.study_paths import StudyPaths
from tuning.records.study_record import StudyRecord, read_study
from tuning.records.test_predictions import BoxPredictions, read_test_predictions

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PICTURES = 24  # at most, from the worst overlap to the best, at even steps
COLUMNS = 6
WIDTH, DOTS_PER_INCH = 10.0, 120  # inches; 1200 pixels
# Told apart by the colour-blind (Okabe and Ito, 2008), and by their strokes where there is no colour.
STYLES: dict[str, dict[str, Any]] = {
    "true box": {"edgecolor": "#F0E442", "linestyle": "-", "linewidth": 1.6},
    "predicted box": {"edgecolor": "#56B4E9", "linestyle": (0, (3, 1.5)), "linewidth": 1.9},
}


def draw_boxes(study: Path, store: ImageStore) -> list[Path]:
    """Write plots/boxes_<arm>.png for every winner that predicts boxes.

    Args:
        study: Folder of the study.
        store: The study's images.

    Returns:
        The paths written; none for a study of classes.
    """
    record = read_study(study)
    written = []
    for arm in record.arms:
        stored = StudyPaths(study).best_model(arm.name).test_predictions
        boxes = read_test_predictions(stored) if stored.is_file() else None
        if isinstance(boxes, BoxPredictions):
            path = StudyPaths(study).plot(f"boxes_{arm.name}")
            _draw_sheet(record, arm.title, boxes, store, path)
            written.append(path)
    return written


def _draw_sheet(record: StudyRecord, label: str, boxes: BoxPredictions, store: ImageStore, path: Path) -> None:
    from matplotlib.patches import Patch

    overlaps = boxes.overlaps
    shown = spread(overlaps)
    rows = math.ceil(len(shown) / COLUMNS)
    figure = new_figure((WIDTH, 1.95 * rows + 1.1), DOTS_PER_INCH, "constrained")
    title = titled(record, f"{record.task}/{record.name}: {label}, mean IoU {overlaps.mean():.3f}")
    figure.suptitle(f"{title}\n{len(shown)} of {len(overlaps)} test images, from the worst IoU to the best")
    place_of = {name: index for index, name in enumerate(store.names)}
    grid: Any = figure.subplots(rows, COLUMNS, squeeze=False)
    for axes in grid.ravel():
        axes.axis("off")
        axes.set_anchor("N")
    for axes, number in zip(grid.ravel(), shown, strict=False):
        axes.imshow(store.image(place_of[boxes.names[number]]), interpolation="antialiased")
        _outline(axes, boxes.true[number], "true box")
        _outline(axes, boxes.predicted[number], "predicted box")
        axes.set_title(f"IoU {overlaps[number]:.2f}", fontsize=10, y=0, va="top", pad=-3)
    handles = [Patch(fill=False, label=name, **style) for name, style in STYLES.items()]
    legend = figure.legend(handles=handles, loc="outside lower center", ncols=2, facecolor="#404040", labelcolor="w")
    legend.get_frame().set_alpha(1.0)
    save_figure(figure, path)


def spread(overlaps: np.ndarray) -> list[int]:
    """Return positions of the images to show, evenly spread from the worst overlap to the best.

    Args:
        overlaps: Overlap over union of each test image, float [N].
    """
    order = np.argsort(overlaps, kind="stable")
    places = np.linspace(0, len(order) - 1, min(PICTURES, len(order))).round().astype(int)
    return [int(number) for number in order[places]]


def _outline(axes: Axes, box: np.ndarray, name: str) -> None:
    from matplotlib.patches import Rectangle
    from matplotlib.patheffects import withStroke

    height, width = axes.images[0].get_size()
    x1, y1, x2, y2 = (float(edge) for edge in box * (width, height, width, height))
    corner = (x1 - 0.5, y1 - 0.5)  # a pixel's middle lies at whole numbers
    halo = withStroke(linewidth=STYLES[name]["linewidth"] + 1.4, foreground="black")
    axes.add_patch(Rectangle(corner, x2 - x1, y2 - y1, fill=False, path_effects=[halo], **STYLES[name]))
