"""A file or folder is the old one or the new one, whatever happens to who writes it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from atomic_file import atomic_path, atomic_replace, naming_path, remove_partials, write_atomically

CHECKOUT = Path(__file__).resolve().parents[1]
KILLED = """
import os, signal, sys
from pathlib import Path
from atomic_file import atomic_path, naming_path
with atomic_path(Path(sys.argv[1])) as partial:
    if sys.argv[2] == "folder":
        partial.mkdir()
        partial = partial / "file"
    partial.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def contents(target: Path) -> str:
    return (target / "file" if target.is_dir() else target).read_text()


def write(path: Path, kind: str, text: str) -> None:
    if kind == "folder":
        path.mkdir()
        path = path / "file"
    path.write_text(text)


KINDS = pytest.mark.parametrize("kind", ["file", "folder"])


@KINDS
@pytest.mark.parametrize("synced", [True, False])
def test_the_new_replaces_the_old(tmp_path: Path, kind: str, synced: bool) -> None:
    target = tmp_path / "model.keras"
    for text in ("old", "new"):
        with atomic_path(target, synced=synced) as partial:
            assert partial.suffix == ".keras"
            assert partial.parent == tmp_path
            write(partial, kind, text)
        assert contents(target) == text
        assert names(tmp_path) == ["model.keras"]


@KINDS
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_after_an_exception_the_old_one_stays(tmp_path: Path, kind: str, error: type[BaseException]) -> None:
    target = tmp_path / "target"
    write(target, kind, "old")

    def fail() -> None:
        with atomic_path(target) as partial:
            write(partial, kind, "half")
            raise error

    with pytest.raises(error):
        fail()
    assert contents(target) == "old"
    assert names(tmp_path) == ["target"]


@KINDS
def test_a_failed_rename_leaves_the_old_one(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "target"
    write(target, kind, "old")
    with pytest.raises(FileNotFoundError):
        atomic_replace(tmp_path / "missing", target, synced=False)
    assert contents(target) == "old"
    assert names(tmp_path) == ["target"]


@KINDS
def test_after_a_kill_the_old_one_stays_and_the_next_writer_sweeps(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "target.h5"
    write(target, kind, "old")
    done = subprocess.run([sys.executable, "-c", KILLED, str(target), kind], cwd=CHECKOUT, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert contents(target) == "old"
    assert [".partial" in name for name in names(tmp_path)] == [True, False]
    with atomic_path(target) as partial:
        assert names(tmp_path) == ["target.h5"]
        write(partial, kind, "new")
    assert contents(target) == "new"
    assert names(tmp_path) == ["target.h5"]


def test_what_others_write_is_not_swept(tmp_path: Path) -> None:
    host = socket.gethostname()
    kept = {
        f".a.{host}.{os.getpid()}-1.partial",
        f".a.{host}.1.partial",  # another user's process
        ".a.elsewhere.999999999.partial",
        f".ab.{host}.999999999.partial",
        f".a.{host}.mine",
    }
    for name in {*kept, f".a.{host}.999999999-7.partial", f".a.{host}.999999999-7.partial.old"}:
        (tmp_path / name).touch()
    remove_partials(tmp_path / "a")
    assert set(names(tmp_path)) == kept
    remove_partials(tmp_path / "none" / "a")


def test_of_concurrent_writers_one_wins(tmp_path: Path) -> None:
    target = tmp_path / "target"
    barrier = threading.Barrier(4)
    errors: list[BaseException] = []

    def run(letter: str) -> None:
        try:
            with atomic_path(target) as partial, partial.open("w") as file:
                for _ in range(100):
                    file.write(letter * 1000)
                barrier.wait(timeout=30)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(letter,)) for letter in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    text = target.read_text()
    assert len(text) == 100_000
    assert len(set(text)) == 1
    assert names(tmp_path) == ["target"]


def test_what_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def record(handle: int) -> None:
        synced.append(Path(os.readlink(f"/proc/self/fd/{handle}")).name)
        fsync(handle)

    monkeypatch.setattr(os, "fsync", record)
    write_atomically(tmp_path / "derived", "text", synced=False)
    assert synced == []
    write_atomically(tmp_path / "results" / "kept", b"bytes")
    assert [".kept" in synced[0], synced[1:]] == [True, ["results"]]


def test_permissions_of_the_old_file_stay(tmp_path: Path) -> None:
    path = tmp_path / "below" / "file"
    write_atomically(path, "ä")
    assert path.read_bytes() == "ä".encode()
    path.chmod(0o640)
    write_atomically(path, "new")
    assert path.stat().st_mode & 0o777 == 0o640


def test_callers_may_name_the_partial(tmp_path: Path) -> None:
    partial = tmp_path / "store.unfinished"
    partial.write_text("of a killed process")
    with atomic_path(tmp_path / "store.h5", partial=partial) as given:
        assert given == partial
        given.write_text("new")
    assert names(tmp_path) == ["store.h5"]


def test_a_write_that_names_no_file_gets_one(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    with (
        pytest.raises(OSError, match="No space left on device") as caught,
        naming_path(path),
        open("/dev/full", "wb", buffering=0) as full,
    ):
        full.write(b"x")
    assert caught.value.filename == str(path)
    with pytest.raises(FileNotFoundError) as other, naming_path(path):
        (tmp_path / "none").read_bytes()
    assert other.value.filename == str(tmp_path / "none")
