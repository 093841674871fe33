"""Names and probabilities for images, as text, JSON or CSV."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.loading.best_model import InspectionError
from inspection.loading.load_model import Classifier
from inspection.prediction.input_images import Picture
from reporting.csv_text import csv_row


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Predicted classes of one image, the most probable first, or the reason why there are none."""

    image: str
    classes: tuple[tuple[str, float], ...] = ()
    failure: str = ""


def answers(
    pictures: Iterable[Picture], predict: Classifier, names: Callable[[int], Sequence[str]], top: int, batch: int
) -> Generator[Answer]:
    """Yield one answer for each picture, in order.

    Args:
        pictures: Decoded images.
        predict: The classifier.
        names: Returns the names of so many outputs.
        top: Number of classes, from 1.
        batch: Images predicted at once.

    Raises:
        InspectionError: There are not as many names as outputs.
    """
    for waiting in _batches(pictures, batch):
        squares = [picture.pixels for picture in waiting if picture.pixels is not None]
        rows: Iterator[NDArray[np.float32]] = iter(predict([np.stack(squares)]) if squares else ())
        for picture in waiting:
            if picture.pixels is None:
                yield Answer(image=picture.name, failure=picture.failure)
                continue
            row = next(rows)
            called = names(len(row))
            if len(called) < len(row):
                raise InspectionError(f"the model has {len(row)} outputs, but there are names for {len(called)}")
            order = np.argsort(-row, kind="stable")[:top]
            yield Answer(image=picture.name, classes=tuple((called[place], float(row[place])) for place in order))


def _batches(pictures: Iterable[Picture], batch: int) -> Iterator[list[Picture]]:
    """Yield the pictures in groups with `batch` readable ones each, fewer in the last."""
    waiting: list[Picture] = []
    for picture in pictures:
        waiting.append(picture)
        if sum(each.pixels is not None for each in waiting) == batch:
            yield waiting
            waiting = []
    yield waiting


def rendered(found: Iterable[Answer], form: str) -> Iterator[str]:
    """Yield lines to print as answers come; failures appear in JSON only.

    Args:
        found: The answers.
        form: "text", "json" or "csv".
    """
    if form == "json":
        yield from _json(found)
    elif form == "csv":
        yield csv_row(["image", "rank", "class", "probability"])
        for answer in found:
            for rank, (name, probability) in enumerate(answer.classes, start=1):
                yield csv_row([answer.image, rank, name, f"{probability:.6g}"])
    else:
        for answer in found:
            if not answer.failure:
                yield answer.image
                width = max(len(name) for name, _ in answer.classes)
                yield from (f"  {name:<{width}}  {probability:7.2%}" for name, probability in answer.classes)


def _json(found: Iterable[Answer]) -> Iterator[str]:
    yield "["
    before = ""
    for answer in found:
        if before:
            yield f"{before},"
        classes = [{"class": name, "probability": round(value, 8)} for name, value in answer.classes]
        said = {"error": answer.failure} if answer.failure else {"classes": classes}
        before = json.dumps({"image": answer.image, **said}, ensure_ascii=False)
    yield from [before, "]"] if before else ["]"]
