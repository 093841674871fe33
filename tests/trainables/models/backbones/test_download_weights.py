from __future__ import annotations

import functools
import hashlib
import http.server
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from trainables.models.backbones.registry import Source

pytestmark = pytest.mark.slow  # imports Keras

CONTENT = b"weights " * 5000


@pytest.fixture(autouse=True)
def keras_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    for proxy in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    return tmp_path / "keras"


class Server(http.server.ThreadingHTTPServer):
    gets = 0


class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        self.server.gets += 1
        time.sleep(0.2)  # long enough for a second process to arrive
        if self.path.startswith("/cut"):
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT[:1000])
            return
        super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "net.h5").write_bytes(CONTENT)
    (folder / "cut.h5").write_bytes(CONTENT)
    server = Server(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def source(server: Server, file_name: str = "net.h5", content: bytes = CONTENT):  # type: ignore[no-untyped-def]

    url = f"http://127.0.0.1:{server.server_address[1]}/{file_name}"
    return Source(file_name=file_name, url=url, md5=hashlib.md5(content).hexdigest())


def left(keras_home: Path) -> set[str]:
    return {file.name for file in (keras_home / "models").iterdir() if not file.name.endswith(".lock")}


def test_fetched_once_though_several_ask(server: Server, keras_home: Path) -> None:
    from trainables.models.backbones import download_weights

    fetch = download_weights.fetch.__wrapped__  # without the memory of this process
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(fetch("Net", source(server)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [keras_home / "models" / "net.h5"] * 4
    assert found[0].read_bytes() == CONTENT
    assert server.gets == 1
    assert left(keras_home) == {"net.h5"}


def test_a_damaged_cached_file_is_fetched_again(server: Server, keras_home: Path) -> None:
    from trainables.models.backbones import download_weights

    (keras_home / "models").mkdir(parents=True)
    (keras_home / "models" / "net.h5").write_bytes(CONTENT[:100])
    assert download_weights.fetch("Net", source(server)).read_bytes() == CONTENT


@pytest.mark.parametrize("fault", ["missing", "cut", "wrong"])
def test_what_cannot_be_fetched_is_one_line_and_leaves_no_file_that_looks_whole(
    server: Server, keras_home: Path, fault: str, capfd: pytest.CaptureFixture[str]
) -> None:
    from trainables.learner import Fatal
    from trainables.models.backbones import download_weights

    wanted = {
        "missing": source(server, "absent.h5"),
        "cut": source(server, "cut.h5"),
        "wrong": source(server, "net.h5", b"other"),
    }[fault]
    with pytest.raises(Fatal) as raised:
        download_weights.fetch("Net", wanted)
    message = str(raised.value)
    assert "\n" not in message
    for part in (
        "Net",
        wanted.url,
        str(keras_home / "models" / wanted.file_name),
        "file with weights",
        "EfficientNetLite0",
    ):
        assert part in message
    assert left(keras_home) == ({"cut.h5.part"} if fault == "cut" else set())  # which the next call resumes
    assert capfd.readouterr().out == ""


def test_offline_is_known_at_once(keras_home: Path) -> None:
    from trainables.learner import Fatal
    from trainables.models.backbones import download_weights

    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    started = time.monotonic()
    with pytest.raises(Fatal, match="cannot be fetched"):
        download_weights.fetch("Net", Source(file_name="a.h5", url=f"http://127.0.0.1:{port}/a.h5", md5="0"))
    assert time.monotonic() - started < 5


def test_a_silent_network_is_given_up(keras_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trainables.learner import Fatal
    from trainables.models.backbones import download_weights

    monkeypatch.setattr(download_weights, "TIMEOUT", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/a.h5"
        with pytest.raises(Fatal, match="does not answer"):
            download_weights.fetch("Net", Source(file_name="a.h5", url=url, md5="0"))


def test_a_cache_that_cannot_be_written_is_one_line(server: Server, keras_home: Path) -> None:
    from trainables.learner import Fatal
    from trainables.models.backbones import download_weights

    keras_home.write_text("a file where a folder should be")
    with pytest.raises(Fatal, match="file with weights"):
        download_weights.fetch("Net", source(server))
