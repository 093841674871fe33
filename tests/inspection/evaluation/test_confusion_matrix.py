"""Which classes are taken for which: counted, ranked, aggregated, printed, drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sklearn.metrics import classification_report, confusion_matrix

from inspection.evaluation.classification_report import report
from inspection.evaluation.confusion_matrix import (
    ConfusedPair,
    Confusion,
    aggregated,
    confusion_of,
    confusion_text,
    draw_confusion,
    most_confused,
)

# 4 cats (one taken for a dog), 3 dogs (two taken for cats), 1 panda (taken for a cat), no lynx.
NAMES = ("cat", "dog", "panda", "lynx")
LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 2])
PREDICTED = np.array([0, 0, 0, 1, 0, 0, 1, 0])
COUNTS = [[3, 1, 0, 0], [2, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]


def test_counted_by_hand() -> None:
    confusion = confusion_of(LABELS, PREDICTED, NAMES)
    assert confusion.counts.tolist() == COUNTS
    assert confusion.shares()[:2].tolist() == [[0.75, 0.25, 0, 0], [pytest.approx(2 / 3), pytest.approx(1 / 3), 0, 0]]
    assert confusion.shares()[3].tolist() == [0, 0, 0, 0]  # nothing to divide by


def test_the_most_confused_pairs_come_first() -> None:
    pairs = most_confused(confusion_of(LABELS, PREDICTED, NAMES))
    assert [(pair.true, pair.predicted, pair.count) for pair in pairs] == [
        ("dog", "cat", 2),
        ("panda", "cat", 1),  # its only image: a larger share than one cat of four
        ("cat", "dog", 1),
    ]
    assert pairs[2] == ConfusedPair(true="cat", predicted="dog", count=1, share=0.25)
    assert most_confused(confusion_of(LABELS, LABELS, NAMES)) == []
    assert len(most_confused(confusion_of(LABELS, PREDICTED, NAMES), most=1)) == 1


@pytest.mark.filterwarnings("ignore:A single label was found")
@given(st.integers(1, 9), st.integers(1, 60), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_counts_are_scikit_learns_and_none_is_lost_when_aggregated(
    classes: int, images: int, most: int, seed: int
) -> None:
    labels, predicted = np.random.default_rng(seed).integers(0, classes, (2, images))
    confusion = confusion_of(labels, predicted, [f"class {number}" for number in range(classes)])
    assert confusion.counts.tolist() == confusion_matrix(labels, predicted, labels=range(classes)).tolist()
    fewer = aggregated(confusion, most)
    assert fewer.counts.sum() == images
    assert len(fewer.names) == len(fewer.counts) == (classes if classes <= most + 1 else most + 1)
    assert sum(pair.count for pair in most_confused(confusion, classes**2)) == (labels != predicted).sum()


def test_aggregated_keeps_the_classes_with_the_most_mistakes_in_their_order() -> None:
    counts = np.diag([9, 9, 9, 9, 9])
    counts[4, 1] = 3
    counts[0, 2] = 1
    fewer = aggregated(Confusion(names=tuple("abcde"), counts=counts), most=2)
    assert fewer.names == ("b", "e", "3 other classes")
    assert fewer.counts.tolist() == [[9, 0, 0], [3, 9, 0], [0, 0, 28]]


def test_printed_with_numbers_for_columns() -> None:
    assert confusion_text(confusion_of(LABELS, PREDICTED, NAMES)).splitlines() == [
        "          [0] [1] [2] [3]",
        "  cat [0]   3   1   0   0",
        "  dog [1]   2   1   0   0",
        "panda [2]   1   0   0   0",
        " lynx [3]   0   0   0   0",
    ]


def test_the_report_is_laid_out_as_scikit_learn_and_document_2_print_it() -> None:
    assert report(LABELS, PREDICTED, NAMES).splitlines() == [
        "              precision    recall  f1-score   support",
        "",
        "         cat       0.50      0.75      0.60         4",
        "         dog       0.50      0.33      0.40         3",
        "       panda       0.00      0.00      0.00         1",
        "        lynx       0.00      0.00      0.00         0",
        "",
        "    accuracy                           0.50         8",
        "   macro avg       0.25      0.27      0.25         8",
        "weighted avg       0.44      0.50      0.45         8",
    ]
    present = report(LABELS, PREDICTED, NAMES[:3])
    assert present == classification_report(LABELS, PREDICTED, target_names=NAMES[:3], zero_division=0)


def test_the_reports_numbers() -> None:
    numbers = report(LABELS, PREDICTED, NAMES, numbers=True)
    assert numbers["accuracy"] == 0.5
    assert numbers["cat"] == {"precision": 0.5, "recall": 0.75, "f1-score": pytest.approx(0.6), "support": 4}


@pytest.mark.parametrize("classes", [2, 200])
def test_the_picture_is_written_whole(tmp_path: Path, classes: int) -> None:
    labels = np.arange(classes).repeat(2)
    confusion = confusion_of(labels, labels, [f"a class with a rather long name {number}" for number in range(classes)])
    draw_confusion(confusion, "Confusion", tmp_path / "plots" / "confusion.png")
    assert [path.name for path in (tmp_path / "plots").iterdir()] == ["confusion.png"]
    with Image.open(tmp_path / "plots" / "confusion.png") as picture:
        assert picture.size == (1200, 1200)
        colours = picture.convert("RGB").getcolors(2**20)
    darkest = (8, 48, 107)  # the end of the scale: every image on the diagonal
    cells = sum(count for count, colour in colours if colour == darkest)
    # Half of a matrix of two; of 200 classes, 31 rows are drawn, where unaggregated cells would be specks.
    assert cells > (100_000 if classes == 2 else 10_000)
