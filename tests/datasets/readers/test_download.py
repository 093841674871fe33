"""A download survives broken connections and ends whole, checked and in place, or in one line."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from datasets.dataset import DataError
from datasets.readers.download import ATTEMPTS, DownloadError, download

CONTENT = np.random.default_rng(0).bytes(300_000)
MD5 = hashlib.md5(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves CONTENT; each answer is cut after `cut` bytes; may refuse ranges or answer with errors first."""

    cut = len(CONTENT)
    ranges = True
    errors: list[int]
    asked: list[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/food-101.tar.gz"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        self.server.asked.append(wanted)
        if self.server.errors:
            self.send_error(self.server.errors.pop(0))
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.server.ranges else 0
        if start >= len(CONTENT):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start : start + self.server.cut])  # then the connection closes

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server(("127.0.0.1", 0), Handler)
    running.errors, running.asked = [], []
    thread = threading.Thread(target=running.serve_forever, args=(0.01,))
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
def fetch(tmp_path: Path) -> Callable[..., bytes]:
    def run(url: str, **options: str) -> bytes:
        path = download(url, tmp_path / "downloads" / "file", pause_seconds=0.0, **options)  # type: ignore[arg-type]
        assert not (tmp_path / "downloads" / "file.part").exists()
        return path.read_bytes()

    return run


def test_in_one_piece_with_progress(server: Server, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    path = download(server.url, tmp_path / "file", md5=MD5, progress=lambda *step: told.append(step))
    assert path.read_bytes() == CONTENT
    assert told[-1] == ("downloading 127.0.0.1", len(CONTENT), len(CONTENT))
    download(server.url, tmp_path / "file", md5=MD5)
    assert server.asked == [""]  # what is there is not fetched again


def test_broken_connections_go_on_where_they_stopped(server: Server, fetch: Callable[..., bytes]) -> None:
    server.cut = 40_000  # 8 answers or more: over ATTEMPTS, but each brings something
    assert fetch(server.url, md5=MD5) == CONTENT
    assert 8 <= len(server.asked) < 20
    assert len(server.asked) > ATTEMPTS
    starts = [int(asked.removeprefix("bytes=").removesuffix("-")) for asked in server.asked[1:]]
    assert starts == sorted(set(starts))
    assert 0 < starts[0] <= 40_000


def test_with_one_attempt_what_brings_something_still_goes_on(server: Server, tmp_path: Path) -> None:
    server.cut = 100_000
    path = download(server.url, tmp_path / "file", md5=MD5, attempts=1, pause_seconds=0.0)
    assert path.read_bytes() == CONTENT
    asked = len(server.asked)
    assert asked > 2
    server.errors = [503]
    with pytest.raises(DownloadError, match=r"could not reach 127\.0\.0\.1") as caught:
        download(server.url, tmp_path / "other", attempts=1, pause_seconds=0.0)
    assert caught.value.reason == "it answered 503 Service Unavailable"
    assert len(server.asked) == asked + 1


def test_a_file_that_another_program_damaged_is_fetched_again_where_asked(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT[:100])
    assert download(server.url, tmp_path / "file", md5=MD5).read_bytes() == CONTENT[:100]
    for _ in range(2):
        assert download(server.url, tmp_path / "file", md5=MD5, check_existing=True).read_bytes() == CONTENT
    assert server.asked == [""]


def test_a_later_process_resumes(server: Server, tmp_path: Path, fetch: Callable[..., bytes]) -> None:
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "file.part").write_bytes(CONTENT[:1234])
    assert fetch(server.url, md5=MD5) == CONTENT
    assert server.asked == ["bytes=1234-"]


def test_a_server_without_ranges_starts_over(server: Server, tmp_path: Path, fetch: Callable[..., bytes]) -> None:
    server.ranges = False
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "file.part").write_bytes(b"something else")
    assert fetch(server.url, md5=MD5) == CONTENT


def test_a_part_that_is_too_long_is_thrown_away(server: Server, tmp_path: Path, fetch: Callable[..., bytes]) -> None:
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "file.part").write_bytes(CONTENT + b"more")
    assert fetch(server.url, md5=MD5) == CONTENT


def test_a_busy_server_is_asked_again(server: Server, fetch: Callable[..., bytes]) -> None:
    server.errors = [503, 429]
    assert fetch(server.url) == CONTENT


def test_a_wrong_checksum(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"{MD5}, but {'0' * 32}"):
        download(server.url, tmp_path / "file", md5="0" * 32)
    assert not (tmp_path / "file").exists()
    assert not (tmp_path / "file.part").exists()


def test_a_missing_file_is_not_asked_for_again(server: Server, tmp_path: Path) -> None:
    server.errors = [404]
    with pytest.raises(DataError, match="404 Not Found"):
        download(server.url, tmp_path / "file")
    assert len(server.asked) == 1


def test_no_server(server: Server, tmp_path: Path) -> None:
    server.errors = [500] * ATTEMPTS
    with pytest.raises(DataError, match=r"127.0.0.1: .*500.* data"):
        download(server.url, tmp_path / "file", pause_seconds=0.0)
    with pytest.raises(DataError, match=r"127.0.0.1: it refuses the connection.* http"):
        download("http://127.0.0.1:9/x.tar.gz", tmp_path / "file", pause_seconds=0.0)  # port 9: discard, not served
    with pytest.raises(DataError, match=r"nowhere.invalid: .*resolved"):
        download("http://nowhere.invalid/x.tar.gz", tmp_path / "file", pause_seconds=0.0)


def test_a_folder_that_cannot_be_written(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="could not be written") as caught:
        download(server.url, tmp_path / "file" / "below")
    assert "\n" not in str(caught.value)
