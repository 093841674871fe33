"""What ImageNet's 1000 outputs are called."""

from __future__ import annotations

import re
from pathlib import Path

import h5py
import pytest

from inspection.loading.best_model import InspectionError
from inspection.prediction.imagenet import NAMES_FILE, class_names, load, names


def test_a_line_a_class_in_the_order_of_wordnets_identifiers() -> None:
    lines = NAMES_FILE.read_text().splitlines()
    assert len(lines) == 1000
    assert all(re.fullmatch(r"n\d{8} \S.*", line) for line in lines)
    assert lines == sorted(set(lines))


def test_names_tell_classes_apart() -> None:
    names = class_names()
    assert len(set(names)) == 1000
    # Known from where these networks' papers and examples name them.
    assert {place: names[place] for place in (0, 281, 340, 504, 657, 698, 812, 985, 999)} == {
        0: "tench",
        281: "tabby",
        340: "zebra",
        504: "coffee mug",
        657: "missile",
        698: "palace",
        812: "space shuttle",
        985: "daisy",
        999: "toilet tissue",
    }
    assert (names[134], names[517]) == ("crane (n02012849)", "crane (n03126707)")


def test_a_network_with_fewer_outputs_has_the_first_names() -> None:
    assert names(3) == class_names()[:3]


@pytest.mark.slow  # imports TensorFlow
def test_an_unknown_model_and_weights_that_do_not_fit(tmp_path: Path) -> None:
    with pytest.raises(InspectionError, match="EfficientNetLite0"):
        load("EfficientNetLit0", None)
    unfit = tmp_path / "unfit.weights.h5"
    with h5py.File(unfit, "w") as file:
        file["layers"] = [1.0]
    with pytest.raises(InspectionError, match=re.escape(str(unfit))):
        load("EfficientNetB0", unfit)
