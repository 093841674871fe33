"""Caltech-101's airplanes (Fei-Fei, Fergus and Perona, 2004), 800 side views, each with the box around its airplane."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from datasets.dataset import Box, Counts, DataError, Progress, SourceImage
from datasets.readers.location import fetched
from datasets.readers.tar_archive import unpacked
from datasets.readers.zip_archive import Read, matching, members
from errors import arg, pluralize

ADDRESS = "https://data.caltech.edu/records/mzrjq-6wc02/files/caltech-101.zip"  # 137 MB
MD5 = "3138e1922a9193bfa496528edbbc45d0"  # of that archive
IMAGE = re.compile(r"(?:^|/)101_ObjectCategories/airplanes/image_(?P<number>\d{4})\.jpg$")
ANNOTATION = re.compile(r"(?:^|/)Annotations/Airplanes_Side_2/annotation_(?P<number>\d{4})\.mat$")
ARCHIVES = {"101_ObjectCategories.tar.gz": IMAGE, "Annotations.tar": ANNOTATION}  # inside it, and what is taken of them
TABLE = re.compile(r"(?:^|/)airplanes\.csv$")  # deep-learning report: its images lie in images/ beside it
REMEDY = (
    f"name the archive from {ADDRESS}, the folder it unpacks to, or one with airplanes.csv and images/ with {arg.data}"
)


@dataclass(frozen=True, kw_only=True)
class Airplanes:
    """One airplane an image, and its box as its annotators drew it.

    counts: images in each split; on a smaller copy they shrink in proportion, with a notice.
    max_side: images are about 400 x 160 pixels; the report looks at 224.
    """

    name: str = "airplanes"
    title: str = "Caltech-101 airplanes"
    classes: tuple[str, ...] = ("airplane",)
    counts: Counts
    max_side: int = 400

    @contextmanager
    def images(self, origin: str | None, data_dir: Path, progress: Progress) -> Iterator[Sequence[SourceImage]]:
        """Yield the images (interface: datasets.dataset.Dataset).

        Args:
            origin: caltech-101.zip, its http(s) address, a folder with it, with its two archives or with their content;
                or the layout of the deep-learning report, caltech101_airplanes.csv (image, x1, y1, x2, y2) and images/.
                None downloads the authors' archive.
            data_dir: Folder of stores and downloads.
            progress: Reports progress.

        Raises:
            DataError: The archive is missing, wrong or damaged; see datasets.dataset.Dataset.
        """
        source = fetched(origin, ADDRESS, data_dir, progress, MD5)
        files = members(source)
        with ExitStack() as stack:
            for name, wanted in ARCHIVES.items():
                packed = next((read for path, read in files.items() if PurePosixPath(path).name == name), None)
                if packed is not None and not any(map(wanted.search, files)):
                    files |= members(stack.enter_context(_unpacked(packed, name, wanted, data_dir, progress)))
            table = next(filter(TABLE.search, files), None)
            found = _annotated(files, source) if table is None else _listed(files, table, source)
            yield [
                SourceImage(name=f"airplane/{name}", label=0, read=read, box=box)
                for name, (read, box) in sorted(found.items())
            ]


@contextmanager
def _unpacked(read: Read, name: str, wanted: re.Pattern[str], data_dir: Path, progress: Progress) -> Iterator[Path]:
    """Yield a folder with the wanted files of an archive inside another one."""
    scratch = data_dir / "scratch" / f"airplanes-{name}"
    scratch.parent.mkdir(parents=True, exist_ok=True)
    archive = scratch.with_suffix(".packed")
    try:
        try:
            archive.write_bytes(read())
        except OSError as error:
            raise DataError(f"{name} cannot be unpacked ({error.strerror or error}); {REMEDY}") from None
        with unpacked(archive, scratch, lambda name: name if wanted.search(name) else None, progress) as folder:
            yield folder
    finally:
        archive.unlink(missing_ok=True)


def _annotated(files: Mapping[str, Read], source: Path) -> dict[str, tuple[Read, Box]]:
    images = {match["number"]: read for match, read in matching(files, IMAGE)}
    annotations = {match["number"]: read for match, read in matching(files, ANNOTATION)}
    for what, found in (("image at 101_ObjectCategories/airplanes", images), ("box at Annotations", annotations)):
        if not found:
            raise DataError(f"{source} has no {what}; {REMEDY}")
    missing = sorted(images.keys() - annotations.keys())
    if missing:
        raise DataError(
            f"{source} has no annotation of {pluralize(len(missing), 'image', 'images')}, such as "
            f"image_{missing[0]}.jpg; {REMEDY}"
        )
    return {
        f"image_{number}.jpg": (read, _box(annotations[number], f"annotation_{number}.mat of {source}"))
        for number, read in images.items()
    }


def _box(read: Read, place: str) -> Box:
    """From MATLAB's box_coord: top, bottom, left, right."""
    from scipy.io import loadmat  # type: ignore[import-untyped]

    try:
        top, bottom, left, right = loadmat(io.BytesIO(read()))["box_coord"].ravel().tolist()
    except Exception as error:  # loadmat raises ValueError, TypeError, KeyError, zlib.error and more
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        raise DataError(f"{place} holds no box_coord of four numbers ({reason}); {REMEDY}") from None
    return float(left), float(top), float(right), float(bottom)


def _listed(files: Mapping[str, Read], table: str, source: Path) -> dict[str, tuple[Read, Box]]:
    folder = PurePosixPath(table).parent / "images"
    found: dict[str, tuple[Read, Box]] = {}
    try:
        lines = list(csv.reader(io.StringIO(files[table]().decode("utf-8-sig"))))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{table} in {source} cannot be read ({error}); {REMEDY}") from None
    for number, fields in enumerate(lines, start=1):
        if not fields:
            continue
        place = f"{table} in {source}, line {number}"
        try:
            name, x1, y1, x2, y2 = (field.strip() for field in fields)
            box = float(x1), float(y1), float(x2), float(y2)
        except ValueError:
            if number == 1 and len(fields) == 5:  # names of the columns
                continue
            raise DataError(f"{place}: {','.join(fields)!r}, but must be image,x1,y1,x2,y2 in pixels") from None
        if name in found:
            raise DataError(f"{place}: {name} stands there twice, but has one box")
        image = files.get(str(folder / name))
        if image is None:
            raise DataError(f"{place}: there is no image {folder / name}; {REMEDY}")
        found[name] = image, box
    if not found:
        raise DataError(f"{table} in {source} names no image; {REMEDY}")
    return found
