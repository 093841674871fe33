"""What ImageNet's 1000 outputs are called."""

from __future__ import annotations

import re

from inspection.prediction.imagenet import NAMES_FILE, class_names


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
