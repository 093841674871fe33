"""Food-101 (Bossard, Guillaumin and Van Gool, 2014), or some of its classes, as its authors publish it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from datasets.dataset import Counts, DataError, Progress, SourceImage
from datasets.readers.location import fetched
from datasets.readers.tar_archive import unpacked
from datasets.sources.read_class_names import read_class_names
from errors import arg

ADDRESS = "http://data.vision.ee.ethz.ch/cvl/food-101.tar.gz"  # 4.65 GiB
MD5 = "85eeb15f3717b99a5da872d97d918f87"  # of that archive; torchvision checks the same
# All of its classes, as its folders are named.
CLASSES = read_class_names("food101")
LAYOUT = "food-101/images/<class>/<number>.jpg"
REMEDY = f"name the archive from {ADDRESS} or its unpacked folder with {arg.data}"


@dataclass(frozen=True, kw_only=True)
class Food101:
    """Some classes of Food-101, 1,000 images each; its authors' own split (750 / 250) is not used.

    counts: images per class in each split; on a smaller copy all classes shrink in proportion, with a notice.
    max_side: the authors publish no side above 512 pixels.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    counts: Counts
    max_side: int = 512

    @contextmanager
    def images(self, origin: str | None, data_dir: Path, progress: Progress) -> Iterator[Sequence[SourceImage]]:
        """Yield the images (interface: datasets.dataset.Dataset).

        Args:
            origin: food-101.tar.gz, its http(s) address, the folder food-101, the one above it, or its images. None
                downloads the authors' archive.
            data_dir: Folder of stores and downloads.
            progress: Reports progress.

        Raises:
            DataError: The archive is missing, wrong or damaged; see datasets.dataset.Dataset.
        """
        source = fetched(origin, ADDRESS, data_dir, progress, MD5)
        with unpacked(source, data_dir / "scratch" / self.name, self._wanted, progress) as folder:
            try:
                images = self._in_folder(_images_folder(folder, self.classes), source)
            except OSError as error:
                raise DataError(f"{source} cannot be read ({error.strerror}); {REMEDY}") from None
            yield images

    def _wanted(self, member: str) -> str | None:
        """Return where a member goes, such as "churros/1234.jpg", or None where it is not needed."""
        parts = PurePosixPath(member).parts
        if len(parts) != 4 or parts[:2] != ("food-101", "images") or parts[2] not in self.classes:
            return None
        return f"{parts[2]}/{parts[3]}" if _is_image(parts[3]) else None

    def _in_folder(self, folder: Path, source: Path) -> list[SourceImage]:
        if not any((folder / name).is_dir() for name in self.classes):
            raise DataError(
                f"{source} is not Food-101: it has none of the classes of {self.name} at {LAYOUT}; {REMEDY}"
            )
        images: list[SourceImage] = []
        for label, name in enumerate(self.classes):
            there = (folder / name).iterdir() if (folder / name).is_dir() else ()
            files = sorted(path for path in there if _is_image(path.name))
            if not files:
                raise DataError(f"the class {name!r} has no image at {LAYOUT} in {source}; {REMEDY}")
            images += [SourceImage(name=f"{name}/{path.name}", label=label, read=path.read_bytes) for path in files]
        return images


def _is_image(name: str) -> bool:
    return name.lower().endswith((".jpg", ".jpeg")) and not name.startswith(".")  # "._1.jpg" is macOS's, no image


def _images_folder(folder: Path, classes: Sequence[str]) -> Path:
    for candidate in (folder / "food-101" / "images", folder / "images", folder):
        if any((candidate / name).is_dir() for name in classes):
            return candidate
    return folder
