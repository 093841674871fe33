"""Where images come from, in one line; and what was downloaded is used, or named with the way out."""

from __future__ import annotations

import errno
import os
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from datasets.dataset import DataError, silent
from datasets.readers.location import describe_origin, fetched, local
from datasets.sources.animals import Animals
from datasets.sources.traffic_signs import TrafficSigns
from datasets.store.image_store import ImageStore, prepare, store_path
from tests.datasets.sources.test_traffic_signs import archives
from tests.fixtures.archives import Pictures


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder and its address."""
    folder = tmp_path / "served"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_what_changes_is_described_otherwise(tmp_path: Path) -> None:
    assert describe_origin(None) == ""
    assert describe_origin("https://example.org/a.zip") == "https://example.org/a.zip"
    (tmp_path / "a.zip").write_bytes(b"one")
    os.utime(tmp_path / "a.zip", (1e9, 1e9))
    one = describe_origin(str(tmp_path / "a.zip"))
    os.utime(tmp_path / "a.zip", (2e9, 2e9))
    assert describe_origin(str(tmp_path / "a.zip")) != one
    (tmp_path / "inner").mkdir()
    os.utime(tmp_path / "inner", (3e9, 3e9))
    before = describe_origin(str(tmp_path))
    os.utime(tmp_path / "inner", (4e9, 4e9))
    assert describe_origin(str(tmp_path)) != before


def test_a_folder_that_may_not_be_read_is_described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "walk", lambda _: iter(()))  # what it gives for such a folder, whoever runs the test
    assert describe_origin(str(tmp_path)) == f"{tmp_path} changed 0"


def test_what_is_no_address_and_what_may_not_be_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = Animals()
    with pytest.raises(DataError, match=r"data is http://\[x/a.zip, .*Invalid IPv6 URL.* name"):
        prepare(dataset, tmp_path, "http://[x/a.zip")

    def denied(self: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr("datasets.readers.zip_archive.Path.exists", denied)  # root may look everywhere
    monkeypatch.setattr("datasets.store.image_store._is_current", lambda *_: False)
    with pytest.raises(DataError, match=r"/closed/a.zip .*Permission denied"):
        prepare(dataset, tmp_path, "/closed/a.zip")


def test_a_user_that_is_not_there_is_a_folder_that_is_not_there(tmp_path: Path) -> None:
    name = "~nobody-of-this-name/x"
    assert local("~") == Path.home()
    assert describe_origin(name).endswith(name)
    assert fetched(name, "", tmp_path, silent) == Path(name).absolute()
    assert store_path(Pictures(), Path(name)).parent == Path(name).absolute()
    with pytest.raises(DataError, match="~nobody-of-this-name/x does not exist"):
        prepare(TrafficSigns(), tmp_path, name)


def test_traffic_signs_from_an_address_and_a_page_in_its_place(tmp_path: Path, served: tuple[Path, str]) -> None:
    """A log-in page that was downloaded stays where it is: the message must say so, and doing as it says must help."""
    folder, address = served
    archive = folder / "signs.zip"
    archive.write_text("<html>please log in</html>")
    with pytest.raises(DataError) as caught:
        prepare(TrafficSigns(), tmp_path / "data", f"{address}/signs.zip")
    message = str(caught.value)
    assert "delete it" in message
    assert "\n" not in message
    downloaded = Path(message.split(" cannot be read")[0])
    downloaded.unlink()
    parts = archives(tmp_path / "in")
    with zipfile.ZipFile(archive, "w") as whole:
        for part in parts.glob("*.zip"):
            with zipfile.ZipFile(part) as one:
                for name in one.namelist():
                    whole.writestr(name, one.read(name))
    stores = [
        ImageStore.open(prepare(TrafficSigns(), tmp_path / data, origin))
        for data, origin in (("data", f"{address}/signs.zip"), ("other", str(parts)))
    ]
    assert stores[0].fingerprint == stores[1].fingerprint
    assert stores[0].origin == f"{address}/signs.zip"
