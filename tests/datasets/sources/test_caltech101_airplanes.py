"""Caltech-101's airplanes in its true layout, and the deep-learning report's own."""

from __future__ import annotations

import io
import re
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat  # type: ignore[import-untyped]

from datasets.dataset import Counts, DataError
from datasets.sources.caltech101_airplanes import Airplanes
from datasets.store.image_store import ImageStore, prepare
from tests.fixtures.archives import encoded, laid_out, pixels

AIRPLANES = Airplanes(counts=Counts(train=8, val=1, test=1))
COUNT = 10


def box(number: int) -> tuple[int, int, int, int]:
    """x1, y1, x2, y2 in an image of 60 x 30 pixels (width x height)."""
    return 3 + number, 2, 40 + number, 25


def image(number: int) -> bytes:
    return encoded(pixels(number, 30, 60))


def annotation(number: int) -> bytes:
    """As Caltech's: MATLAB 5 with box_coord (top, bottom, left, right) and the outline."""
    x1, y1, x2, y2 = box(number)
    file = io.BytesIO()
    coordinates = np.array([[y1, y2, x1, x2]], np.uint16)
    savemat(file, {"box_coord": coordinates, "obj_contour": np.zeros((2, 5))}, do_compression=True)
    return file.getvalue()


def caltech_files(count: int = COUNT) -> tuple[dict[str, bytes], dict[str, bytes]]:
    images = {f"101_ObjectCategories/airplanes/image_{number:04d}.jpg": image(number) for number in range(1, count + 1)}
    images["101_ObjectCategories/accordion/image_0001.jpg"] = image(99)
    folder = "Annotations/Airplanes_Side_2"
    annotations = {f"{folder}/annotation_{number:04d}.mat": annotation(number) for number in range(1, count + 1)}
    annotations["Annotations/accordion/annotation_0001.mat"] = annotation(7)
    annotations[f"{folder}/._annotation_0001.mat"] = b"macOS"
    return images, annotations


def packed(files: dict[str, bytes], mode: str) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode=mode) as tar:  # type: ignore[call-overload]
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return content.getvalue()


def caltech_zip(folder: Path, count: int = COUNT) -> Path:
    images, annotations = caltech_files(count)
    archive = folder / "caltech-101.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("caltech-101/101_ObjectCategories.tar.gz", packed(images, "w:gz"))
        file.writestr("caltech-101/Annotations.tar", packed(annotations, "w"))
        file.writestr("caltech-101/show_annotation.m", "function show_annotation")
        file.writestr("__MACOSX/caltech-101/._Annotations.tar", b"macOS")
    return archive


def document_layout(folder: Path, table: str | None = None) -> Path:
    rows = "".join(f"image_{number:04d}.jpg,{','.join(map(str, box(number)))}\n" for number in range(1, COUNT + 1))
    files = {f"images/image_{number:04d}.jpg": image(number) for number in range(1, COUNT + 1)}
    return laid_out(folder, {**files, "airplanes.csv": (rows if table is None else table.format(rows)).encode()})


def check(store: ImageStore) -> None:
    assert store.classes == ("airplane",)
    assert [len(store.indices(split)) for split in ("train", "val", "test")] == [8, 1, 1]
    assert store.boxes is not None
    for name, found in zip(store.names, store.boxes, strict=True):
        number = re.fullmatch(r"airplane/image_(\d{4})\.jpg", name)
        assert number is not None
        np.testing.assert_allclose(found * (60, 30, 60, 30), box(int(number[1])), rtol=1e-6)


def test_caltechs_archive_becomes_a_store(tmp_path: Path) -> None:
    check(ImageStore.open(prepare(AIRPLANES, tmp_path / "data", str(caltech_zip(tmp_path)))))
    assert not [path for path in (tmp_path / "data" / "scratch").iterdir() if path.suffix != ".lock"]


def test_the_folder_it_unpacks_to_too(tmp_path: Path) -> None:
    images, annotations = caltech_files()
    check(ImageStore.open(prepare(AIRPLANES, tmp_path / "data", str(laid_out(tmp_path / "in", images | annotations)))))


def test_the_two_archives_in_a_folder_too(tmp_path: Path) -> None:
    images, annotations = caltech_files()
    files = {"101_ObjectCategories.tar.gz": packed(images, "w:gz"), "Annotations.tar": packed(annotations, "w")}
    check(ImageStore.open(prepare(AIRPLANES, tmp_path / "data", str(laid_out(tmp_path / "in", files)))))


def test_one_unpacked_and_the_other_not(tmp_path: Path) -> None:
    images, annotations = caltech_files()
    folder = laid_out(tmp_path / "in", images | {"Annotations.tar": packed(annotations, "w")})
    check(ImageStore.open(prepare(AIRPLANES, tmp_path / "data", str(folder))))


@pytest.mark.parametrize("table", [None, "filename,x1,y1,x2,y2\n{}\n", "\ufeff{}"])
def test_the_documents_own_layout(tmp_path: Path, table: str | None) -> None:
    check(ImageStore.open(prepare(AIRPLANES, tmp_path / "data", str(document_layout(tmp_path / "in", table)))))


def test_both_layouts_agree(tmp_path: Path) -> None:
    one = ImageStore.open(prepare(AIRPLANES, tmp_path / "one", str(caltech_zip(tmp_path))))
    other = ImageStore.open(prepare(AIRPLANES, tmp_path / "other", str(document_layout(tmp_path / "in"))))
    assert one.fingerprint == other.fingerprint


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"readme.txt": b"nothing"}, "has no image at 101_ObjectCategories/airplanes"),
        (caltech_files()[0], "has no box at Annotations"),
        (
            caltech_files()[0] | dict(list(caltech_files()[1].items())[1:]),
            r"has no annotation of 1 image, such as image_0001\.jpg",
        ),
        (
            caltech_files()[0]
            | caltech_files()[1]
            | {"Annotations/Airplanes_Side_2/annotation_0003.mat": b"no matlab"},
            "annotation_0003.mat of .* holds no box_coord",
        ),
        ({"101_ObjectCategories.tar.gz": b"\x1f\x8bcut off"}, "is truncated or damaged|is not a tar archive"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, files: dict[str, bytes], message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        prepare(AIRPLANES, tmp_path / "data", str(laid_out(tmp_path / "in", files)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("{}image_0001.jpg,1,2,3,4\n", "line 11: image_0001.jpg stands there twice"),
        ("{}image_0001.jpg,1,2,three,4\n", "line 11: .* must be image,x1,y1,x2,y2 in pixels"),
        ("image_0001.jpg,1,2,3\n{}", "line 1: .* must be image,x1,y1,x2,y2 in pixels"),
        ("{}../secret.jpg,1,2,3,4\n", "line 11: there is no image"),
        ("filename,x1,y1,x2,y2\n", "names no image"),
    ],
)
def test_what_is_wrong_with_the_table_is_one_line(tmp_path: Path, table: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        prepare(AIRPLANES, tmp_path / "data", str(document_layout(tmp_path / "in", table)))
