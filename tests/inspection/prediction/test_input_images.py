"""Images from anywhere become the squares that the test images were, or one line says why not."""

from __future__ import annotations

import io
import sys
import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from datasets.dataset import silent
from datasets.input_config import Fit
from datasets.pipeline.batches import SplitBatches
from datasets.store.image_store import ImageStore, prepare
from inspection.loading.best_model import InspectionError
from inspection.prediction import input_images
from tests.fixtures.archives import encoded, pixels
from tests.fixtures.inspection import PICTURES, VIEW
from tests.fixtures.inspection import pictures as dataset

SEEN = input_images.Preprocess(max_side=20, side=16, fit="shorter_side")


@pytest.mark.parametrize("fit", ["center_crop", "shorter_side", "stretch"])
def test_a_file_is_seen_as_the_test_image_made_of_it(tmp_path: Path, fit: Fit) -> None:
    store = ImageStore.open(prepare(dataset(), tmp_path))
    test = SplitBatches(store, "test", replace(VIEW, fit=fit), opened_by="a test")
    stored = dict(zip((store.names[index] for index in test.indices), next(iter(test.batches(99))), strict=True))
    seen = input_images.Preprocess(max_side=PICTURES.max_side, side=VIEW.image_size, fit=fit)
    with dataset().images(None, tmp_path, silent) as sources:
        compared = [(seen.square(one.read()), stored[one.name]) for one in sources if one.name in stored]
    assert len(compared) == 20
    for square, expected in compared:
        np.testing.assert_array_equal(square, expected)


def test_imagenets_square_is_the_middle_seven_eighths() -> None:
    """A white frame of 1/16 of the shorter side lies outside; the grey within fills the square."""
    picture = np.full((64, 96, 3), 255, np.uint8)
    picture[4:60, 20:76] = 90
    square = input_images.Preprocess(max_side=4096, side=28, fit="imagenet").square(encoded(picture, "PNG"))
    assert square.shape == (28, 28, 3)
    np.testing.assert_array_equal(square[2:-2, 2:-2], np.full((24, 24, 3), 90))  # bicubic reaches two pixels out


def found(*arguments: str) -> list[str]:
    return input_images.find(arguments, lambda notice: None)


def test_files_folders_and_patterns_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("b.png", "a.png", ".hidden.png", "deep/er/c.JPG", "odd[1].png", "notes.txt", "d.jfif"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "bare").write_bytes(encoded(pixels(1), "PNG"))
    monkeypatch.chdir(tmp_path)
    folder = ["a.png", "b.png", "bare", "d.jfif", "odd[1].png", "deep/er/c.JPG"]
    assert found(str(tmp_path)) == [f"{tmp_path}/{name}" for name in folder]
    assert found("b.png", "*.png", "odd[1].png", "gone.png", "-", "HTTPS://x/y.jpg") == [
        *("b.png", "a.png", "b.png", "odd[1].png", "odd[1].png", "gone.png", "-", "HTTPS://x/y.jpg")
    ]
    assert found("**/*.png")[-1] == "odd[1].png"
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").touch()
    for arguments, message in (
        (["empty"], r"the folder empty holds no image \(1 file passed over, no readable image \(\.txt: 1\)"),
        (["*.gif"], r"nothing matches \*.gif"),
        (["-", "-"], "standard input twice"),
    ):
        with pytest.raises(InspectionError, match=message):
            found(*arguments)


def test_a_folder_tells_what_is_passed_over(tmp_path: Path) -> None:
    for name in ("a.png", "x.heic", "deep/y.HEIC", "deep/README", "film.mpg", ".hidden.txt", "Thumbs.db"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    told: list[str] = []
    assert input_images.find([str(tmp_path)], told.append) == [f"{tmp_path}/a.png"]
    names = ", ".join(f"{tmp_path}/{name}" for name in ("film.mpg", "x.heic", "deep/README"))
    assert told == [f"4 files passed over, no readable images (.heic: 2, no ending: 1, .mpg: 1): {names}, ..."]


def test_names_are_found_under_either_unicode_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    composed, decomposed = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
    (tmp_path / decomposed).mkdir()
    (tmp_path / decomposed / f"{decomposed}.png").touch()
    monkeypatch.chdir(tmp_path)
    there = f"{decomposed}/{decomposed}.png"
    for named in (composed, f"{composed}/{composed}.png", f"{composed}/*.png", there):
        assert found(named) == [there]
    assert found(f"gone/{composed}.png") == [f"gone/{composed}.png"]


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_what_cannot_be_read_says_why_and_the_others_go_on(tmp_path: Path) -> None:
    picture = pixels(3)
    whole = encoded(picture, "PNG")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture).save(tmp_path / "turned.jpg", exif=exif)
    Image.fromarray(picture).convert("L").save(tmp_path / "grey.png")
    Image.fromarray(picture).convert("RGBA").save(tmp_path / "alpha.png")
    Image.new("1", (12_000, 9_000)).save(tmp_path / "huge.png")
    (tmp_path / "damaged.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.png").touch()
    (tmp_path / "notes.txt").write_text("no image")
    expected = {
        "alpha.png": "",
        "damaged.png": "truncated or damaged",
        "empty.png": "the file is empty",
        "gone.png": "No such file",
        "grey.png": "",
        "huge.png": "108 megapixels, over the limit of 100",
        "notes.txt": "not an image in a format Pillow reads",
        "turned.jpg": "",
        "\0": "null byte",
    }
    names = [str(tmp_path / name) for name in expected]
    read = list(input_images.read(names, SEEN))
    assert [one.name for one in read] == names
    for one, failure in zip(read, expected.values(), strict=True):
        assert failure in one.failure
        assert "\n" not in one.failure
        assert (one.pixels is None) == bool(failure)
    turned = read[list(expected).index("turned.jpg")].pixels
    assert turned is not None
    upright = input_images.Preprocess(max_side=20, side=16, fit="shorter_side").square(
        encoded(np.rot90(picture, -1), "PNG")
    )
    assert np.abs(turned.astype(int) - upright).mean() < 4  # but for JPEG's own loss


def test_too_many_bytes_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_images, "MOST_BYTES", 1_000_000)
    assert "over 1 MB" in next(input_images.read(["/dev/zero"], SEEN)).failure


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    content = encoded(pixels(5), "PNG")
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    (read,) = input_images.read(["-"], SEEN)
    assert (read.name, read.failure) == ("standard input", "")
    np.testing.assert_array_equal(read.pixels, SEEN.square(content))


@pytest.fixture
def server() -> Iterator[str]:
    content = encoded(pixels(5), "PNG")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/picture.png" else 404)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            """Nothing into the test's output."""

    serving = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{serving.server_address[1]}"
    serving.shutdown()
    serving.server_close()


def test_addresses(server: str) -> None:
    found, missing, refused = input_images.read(
        [f"{server}/picture.png", f"{server}/other.png", "http://127.0.0.1:1/x.png"], SEEN
    )
    np.testing.assert_array_equal(found.pixels, SEEN.square(encoded(pixels(5), "PNG")))
    assert missing.failure == "the server answered 404 Not Found"
    assert refused.failure == "it cannot be fetched: it refuses the connection"
