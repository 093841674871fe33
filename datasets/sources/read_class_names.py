"""Names of classes in text files, a line a class in the order of the labels."""

from __future__ import annotations

from pathlib import Path


def read_class_names(dataset: str) -> tuple[str, ...]:
    """Return the lines of that data set's file."""
    path = Path(__file__).with_name("class_names") / f"{dataset}.txt"
    return tuple(path.read_text(encoding="utf-8").splitlines())
