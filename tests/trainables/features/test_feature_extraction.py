"""Features of every image as a file of their own: what they are, and that there is never half a file."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

import cli
from datasets.dataset import Counts, DataError, silent
from datasets.images.resize import resize_to_square
from datasets.input_config import InputConfig
from datasets.store.image_store import ImageStore, prepare
from tests.fixtures.archives import Pictures
from trainables.features.feature_extraction import Extraction, extract
from trainables.learner import Infeasible
from trainables.models.backbones.registry import find


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ImageStore:
    return ImageStore.open(
        prepare(Pictures(per_class=20, counts=Counts(train=10, val=5, test=5)), tmp_path_factory.mktemp("data"))
    )


def of(pooling: str = "average", size: int = 32) -> Extraction:
    view = InputConfig(image_size=size, fit="stretch")
    return Extraction(backbone=find("efficientnetlite0"), pooling=pooling, view=view, weights=None)


@pytest.mark.slow
def test_the_file_holds_what_the_backbone_makes_of_every_image(tmp_path: Path, store: ImageStore) -> None:
    from trainables.models.backbones import builder

    told: list[tuple[str, int, int]] = []
    target = tmp_path / "features.h5"
    assert extract(store, of(), target, lambda *said: told.append(said)) == (40, 1280)
    body = builder.build(find("EfficientNetLite0"), (32, 32, 3), weights=None)
    images = np.stack([resize_to_square(store.image(index), 32, "stretch") for index in range(40)])
    with h5py.File(target) as file:
        maps = np.asarray(body(images, training=False))
        np.testing.assert_allclose(file["features"][()], maps.mean(axis=(1, 2)), atol=1e-4)
        assert file["features"].dtype == np.float32
        assert file["labels"][()].tolist() == store.labels.tolist()
        assert file["names"].asstr()[()].tolist() == list(store.names)
        assert file["class_names"].asstr()[()].tolist() == ["first", "second"]
        split = file["split"].asstr()[()]
        assert all((split[store.indices(name)] == name).all() for name in ("train", "val", "test"))
        about = dict(file.attrs)
        offset = file["features"].id.get_offset()
    assert (about["backbone"], about["weights"], about["image_size"]) == ("EfficientNetLite0", "ImageNet", 32)
    assert (about["pooling"], about["fit"], about["data_fingerprint"]) == ("average", "stretch", store.fingerprint)
    assert "test" in about["note"]
    assert told == [("features", 32, 40), ("features", 40, 40)]
    assert np.memmap(target, np.float32, "r", offset, (40, 1280)).any()  # one contiguous block

    def interrupt(what: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    before = target.read_bytes()
    killed = tmp_path / f".features.h5.{socket.gethostname()}.999999999.partial"
    killed.write_bytes(b"of a process that is no more")
    with pytest.raises(KeyboardInterrupt):
        extract(store, of(), target, interrupt)
    assert [path.name for path in tmp_path.iterdir()] == ["features.h5"]
    assert target.read_bytes() == before
    with pytest.raises(Infeasible, match="image size is 8"):
        extract(store, of(size=8), target, silent)


@pytest.mark.slow
def test_a_full_disk_is_told_before_anything_is_computed(
    tmp_path: Path, store: ImageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainables.features import feature_extraction

    def disk_usage(folder: Path) -> Any:
        return type("Usage", (), {"free": 1000})

    monkeypatch.setattr(feature_extraction.shutil, "disk_usage", disk_usage)
    with pytest.raises(DataError, match="pooling average"):
        extract(store, of("flatten"), tmp_path / "features.h5", silent)
    assert list(tmp_path.iterdir()) == []


def refused(*arguments: str) -> str:
    done = CliRunner().invoke(cli.cli, ["datasets", "features", *arguments])
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_what_cannot_be_is_one_line(tmp_path: Path) -> None:
    there = tmp_path / "there.h5"
    there.write_bytes(b"mine")
    assert f"{there} exists" in refused("food10", "--sample", "--out", str(there))
    assert there.read_bytes() == b"mine"
    assert "did you mean Xception?" in refused("food10", "--backbone", "Xceptio")
    assert "in a folder that exists" in refused("food10", "--out", str(tmp_path / "none" / "x.h5"))
    assert "in a folder that exists" in refused("food10", "--out", str(tmp_path))
    assert "8<=x<=2048" in refused("food10", "--image-size", "4")
    assert "'flatten', 'average'" in refused("food10", "--pooling", "max")
    assert "no arm of mnist starts from one" in refused("mnist")
