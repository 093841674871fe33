"""The table of backbones: selectable ones, latency on this machine, figures of the traffic-signs report."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from rich import box
from rich.console import Console
from rich.table import Table

from reporting.tables import formatting
from reporting.tables.formatting import ABSENT

PUBLISHED = Path(__file__).parents[2] / "results" / "published" / "backbones.csv"


class BackboneInfo(Protocol):
    """A selectable backbone: an entry of trainables.models.backbones.registry."""

    @property
    def name(self) -> str: ...

    @property
    def image_size(self) -> int:
        """Side in pixels of the images it was trained on."""

    @property
    def parameters(self) -> int:
        """Number of parameters without its top."""

    @property
    def layers(self) -> int:
        """Number of layers to which frozen_fraction refers."""


def backbones_text(
    listed: Sequence[BackboneInfo], latency_ms: Mapping[str, Mapping[str, float]], published: Path = PUBLISHED
) -> str:
    """Render the selectable backbones first, then those that only the report has.

    Args:
        listed: The selectable backbones.
        latency_ms: Measured milliseconds by device ("processor" or a GPU's kind) and backbone.
        published: CSV file with the figures of the report.
    """
    with published.open(newline="", encoding="utf-8") as file:
        figures = {row["name"]: row for row in csv.DictReader(file)}
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("Backbone", no_wrap=True)
    gpus = [device for device in latency_ms if device != "processor"]
    # Each word of a GPU's kind is on its own line, so that the column stays narrow.
    latencies = ["Latency", *("\n".join(["Latency", *gpu.split()]) for gpu in gpus)]
    for heading in ("Pixels", "Layers", "Parameters", *latencies, "Size", "Top-1", "Top-5", "Parameters", "Depth"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in listed:
        ours = (f"{one.image_size}", f"{one.layers}", formatting.count(one.parameters))
        measured = [latency_ms.get(device, {}).get(one.name) for device in ("processor", *gpus)]
        latency = [ABSENT if value is None else formatting.latency(value) for value in measured]
        table.add_row(one.name, *ours, *latency, *_published_cells(figures.get(one.name)))
    for name, figure in figures.items():
        if name not in {one.name for one in listed}:
            table.add_row(f"({name})", *[""] * (3 + len(latencies)), *_published_cells(figure))
    text = io.StringIO()
    Console(file=text, width=160, no_color=True).print(table)
    lines = [line.rstrip() for line in text.getvalue().splitlines()]
    notes = [
        "Pixels, layers, parameters: without the ImageNet top, as selected with --backbone NAME.",
        "Latency: one image of that many pixels, on all cores or the GPU named; by backbones --measure NAME,...|all.",
        "Size to depth: published, with the top (traffic-signs report, NASNet). In brackets: not selectable.",
    ]
    return "\n".join([*lines, *notes])


def _published_cells(figure: Mapping[str, str] | None) -> tuple[str, ...]:
    if figure is None:
        return (ABSENT,) * 5
    return figure["size"], figure["top1"], figure["top5"], f"{int(figure['parameters']):,}", figure["depth"]
