"""One list of image files for every folder: what Pillow decodes, by ending or, without one, by content."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from datasets.images.decode import decode
from datasets.images.formats import image_endings, is_image, passed_over_notice
from tests.fixtures.archives import encoded, pixels


def test_every_format_that_pillow_decodes_and_no_other() -> None:
    endings = image_endings()
    assert {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff"} <= endings
    assert {".ppm", ".pgm", ".jp2", ".tga"} <= endings
    # Known to Pillow, but stubs without a decoder, a film, and what another program draws.
    assert not endings & {".h5", ".hdf", ".grib", ".bufr", ".wmf", ".emf", ".mpg", ".mpeg", ".eps", ".ps", ".pdf", ""}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "JPEG2000", "TGA", "WEBP", "TIFF", "PPM", "AVIF"])
def test_what_the_list_holds_can_be_decoded(kind: str) -> None:
    Image.init()
    if kind not in Image.SAVE:
        pytest.skip(f"this Pillow writes no {kind}")
    content = encoded(pixels(1), kind)
    for ending, form in Image.registered_extensions().items():
        if form == kind:
            assert is_image(f"x{ending.upper()}"), ending
    assert decode(content, 64).shape == pixels(1).shape


def test_a_file_without_an_ending_is_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "picture").write_bytes(encoded(pixels(1), "PNG"))
    (tmp_path / "README").write_text("words")
    (tmp_path / "empty").touch()
    (tmp_path / "picture.txt").write_bytes(encoded(pixels(1), "PNG"))
    assert [is_image(tmp_path / name) for name in ("picture", "README", "empty", "picture.txt", "gone")] == [
        *(True, False, False, False, False)
    ]


def test_what_is_passed_over_is_counted_and_named() -> None:
    assert passed_over_notice([]) == []
    assert passed_over_notice(["a/x.txt"]) == ["1 file passed over, no readable image (.txt: 1): a/x.txt"]
    names = ["a/1.HEIC", "a/2.heic", "a/README", "b/3.heic", "b/4.txt"]
    assert passed_over_notice(names) == [
        "5 files passed over, no readable images (.heic: 3, no ending: 1, .txt: 1): a/1.HEIC, a/2.heic, a/README, ..."
    ]
    many = passed_over_notice([f"a/x.{number}" for number in range(40)])[0]
    assert "(.0: 1, .1: 1, .10: 1, .11: 1, .12: 1 and 35 more)" in many
