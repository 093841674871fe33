"""What is kept on disk is whole, right, bounded, and written by one process at a time."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import resource
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainables.features.feature_cache import FeatureCache, key_of

ROOMY = 10**9
ROWS, WIDTH = 40, 500
# Processes that start in a few milliseconds, whatever this one has loaded.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__])


def content(key: str, kind: Any = "float32") -> np.ndarray:
    """The array [ROWS, WIDTH] that belongs to a key."""
    numbers = np.random.default_rng(list(key.encode())).integers(0, 200, (ROWS, WIDTH))
    return numbers.astype(kind)


def batches(keys: Sequence[str], kind: Any = "float32", size: int = 7) -> Iterator[Mapping[str, Sequence[np.ndarray]]]:
    """Each key's array and the same array in reverse, a few rows at a time."""
    for start in range(0, ROWS, size):
        yield {
            key: [content(key, kind)[start : start + size], content(key, kind)[:, ::-1][start : start + size]]
            for key in keys
        }


def shapes(keys: Sequence[str], kind: Any = "float32") -> dict[str, list[tuple[tuple[int, ...], Any]]]:
    return {key: [((ROWS, WIDTH), np.dtype(kind))] * 2 for key in keys}


def write(store: FeatureCache, *keys: str, kind: Any = "float32") -> None:
    with store.writing("-".join(keys), lambda: pytest.fail("nobody else writes")):
        store.write(shapes(keys, kind), batches(keys, kind), {"data": "test"})


def holds(store: FeatureCache, key: str, kind: Any = "float32") -> bool:
    """Whether the key is there. If so it must be right."""
    arrays = store.open(key)
    if arrays is None:
        return False
    whole, reversed_ = arrays
    np.testing.assert_array_equal(whole, content(key, kind))
    np.testing.assert_array_equal(reversed_, content(key, kind)[:, ::-1])
    return True


def bytes_of_one(kind: Any = "float32") -> int:
    return 2 * ROWS * WIDTH * np.dtype(kind).itemsize


def folders(path: Path) -> set[str]:
    return {entry.name for entry in path.iterdir() if entry.is_dir()}


@pytest.mark.parametrize("kind", ["float32", "uint8", "float16", "int64", "bfloat16"])
def test_what_is_read_is_what_was_written(tmp_path: Path, kind: str) -> None:
    store = FeatureCache(tmp_path / "features", ROOMY)
    assert store.open("a") is None  # before there is a folder too
    write(store, "a", "b", kind=kind)
    for key in "ab":
        assert holds(store, key, kind)
        arrays = store.open(key)
        assert arrays is not None
        assert all(array.dtype == np.dtype(kind) for array in arrays)
        assert not any(array.flags.writeable or array.flags.owndata for array in arrays)  # mapped, not copied
    facts = json.loads((tmp_path / "features" / "a" / "entry.json").read_text())
    assert facts["bytes"] == bytes_of_one(kind)
    assert facts["about"] == {"data": "test"}
    assert holds(FeatureCache(tmp_path / "features", 0), "a", kind)  # a smaller limit forbids no reading
    assert store.open("c") is None


def test_rows_in_any_order_of_memory_are_written_row_by_row(tmp_path: Path) -> None:
    array = np.asfortranarray(np.arange(12, dtype=np.float32).reshape(3, 4))
    store = FeatureCache(tmp_path, ROOMY)
    store.write({"a": [((3, 4), array.dtype)]}, iter([{"a": [array[:1]]}, {"a": [array[1:, ::1]]}]), {})
    arrays = store.open("a")
    assert arrays is not None
    np.testing.assert_array_equal(arrays[0], array)


def test_the_least_recently_used_are_dropped_first(tmp_path: Path) -> None:
    store = FeatureCache(tmp_path, 3 * bytes_of_one())
    for age, key in ((400, "a"), (300, "b"), (200, "c")):
        write(store, key)
        os.utime(tmp_path / key / "entry.json", (time.time() - age,) * 2)
    assert folders(tmp_path) == {"a", "b", "c"}  # exactly full
    assert holds(store, "a")  # used just now
    write(store, "d")
    assert folders(tmp_path) == {"a", "c", "d"}
    write(store, "e", "f")
    assert folders(tmp_path) == {"d", "e", "f"} or folders(tmp_path) == {"a", "e", "f"}
    assert holds(store, "e")


def test_what_a_process_has_mapped_stays_readable_when_it_is_dropped(tmp_path: Path) -> None:
    store = FeatureCache(tmp_path, bytes_of_one())
    write(store, "a")
    arrays = store.open("a")
    assert arrays is not None
    write(store, "b")
    assert folders(tmp_path) == {"b"}
    np.testing.assert_array_equal(arrays[0], content("a"))


def damage(entry: Path, how: str) -> None:
    file, facts = entry / "0.bin", entry / "entry.json"
    if how == "truncated":
        os.truncate(file, file.stat().st_size - 1)
    elif how == "empty":
        os.truncate(file, 0)
    elif how == "missing":
        (entry / "1.bin").unlink()
    elif how == "no facts":
        facts.unlink()
    elif how == "empty facts":
        facts.write_text("")
    elif how == "truncated facts":
        facts.write_bytes(facts.read_bytes()[:-20])
    else:
        facts.write_text(how)


@pytest.mark.parametrize(
    "how",
    [
        "truncated",
        "empty",
        "missing",
        "no facts",
        "empty facts",
        "truncated facts",
        "{}",
        '{"shapes": [[40, 500]], "types": [], "bytes": 160000}',
        "null",
        "[]",
        '{"shapes": null, "types": null, "bytes": 160000}',
        '{"shapes": [[40, 500]], "types": ["float33"], "bytes": 160000}',
        '{"shapes": [[-40, 500]], "types": ["float32"], "bytes": 160000}',
    ],
)
def test_a_damaged_entry_is_not_opened_but_written_anew(tmp_path: Path, how: str) -> None:
    store = FeatureCache(tmp_path, 2 * bytes_of_one())
    write(store, "a")
    damage(tmp_path / "a", how)
    assert not holds(store, "a")
    write(store, "b")  # looks over all entries for room
    write(store, "a")
    assert holds(store, "a")


def test_an_entry_without_facts_makes_room(tmp_path: Path) -> None:
    store = FeatureCache(tmp_path, ROOMY)
    write(store, "a")
    (tmp_path / "a" / "entry.json").unlink()
    write(store, "b")
    assert folders(tmp_path) == {"b"}


def test_rows_that_do_not_add_up_are_refused(tmp_path: Path) -> None:
    store = FeatureCache(tmp_path, ROOMY)
    for rows in (ROWS - 1, ROWS + 1):
        wrong = {"a": [((rows, WIDTH), np.dtype("float32"))] * 2}
        with pytest.raises(RuntimeError, match="do not add up to its shape"):
            store.write(wrong, batches(["a"]), {})
        assert folders(tmp_path) == set()


def test_an_error_in_the_making_leaves_nothing(tmp_path: Path) -> None:
    def failing() -> Iterator[Mapping[str, Sequence[np.ndarray]]]:
        yield from batches(["a"])
        raise KeyboardInterrupt

    store = FeatureCache(tmp_path, ROOMY)
    with pytest.raises(KeyboardInterrupt), store.writing("a", lambda: None):
        store.write(shapes(["a"]), failing(), {})
    assert folders(tmp_path) == set()
    write(store, "a")  # the lock is free again
    assert holds(store, "a")


def _write_with_little_space(folder: Path, told: Connection) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROWS * WIDTH * 2, ROWS * WIDTH * 2))  # half of an array
    try:
        write(FeatureCache(folder, ROOMY), "a")
    except OSError as error:
        told.send((type(error).__name__, error.errno, sorted(folders(folder))))


def test_a_disk_without_space_is_an_os_error_and_leaves_nothing(tmp_path: Path) -> None:
    listen, tell = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=_write_with_little_space, args=(tmp_path, tell))
    process.start()
    name, number, left = listen.recv()
    process.join()
    assert (name, left) == ("OSError", [])
    assert number == 27  # File too large: what a limit says in place of "No space left on device"


def unfinished(folder: Path, key: str, size: int, age: float = 0.0, written: float | None = None) -> str:
    """A folder as a process leaves it in the middle of its work. Returns its name.

    age, written: seconds since the folder was made and since its file was last written to.
    """
    path = folder / f".{key}.{size}.0123abcd"
    path.mkdir()
    (path / "0.bin").write_bytes(b"half")
    os.utime(path / "0.bin", (time.time() - (age if written is None else written),) * 2)
    os.utime(path, (time.time() - age,) * 2)
    return path.name


def test_what_a_killed_process_left_is_cleared_away_after_a_day(tmp_path: Path) -> None:
    unfinished(tmp_path, "a", 9, age=90_000)
    earlier = tmp_path / ".b.9.host.1"  # as the version before named it
    earlier.mkdir()
    os.utime(earlier, (time.time() - 90_000,) * 2)
    kept = {unfinished(tmp_path, "d", 9), unfinished(tmp_path, "e", 9, age=80_000)}
    kept.add(unfinished(tmp_path, "f", 9, age=90_000, written=60))  # begun long ago, and still written to
    write(FeatureCache(tmp_path, ROOMY), "c")
    assert folders(tmp_path) == {"c", *kept}


def test_what_others_are_writing_takes_room(tmp_path: Path) -> None:
    size = 2 * content("a").nbytes
    write(FeatureCache(tmp_path, ROOMY), "a")
    being_written = unfinished(tmp_path, "x", size)
    write(FeatureCache(tmp_path, 3 * size), "b")
    assert folders(tmp_path) == {"a", "b", being_written}
    write(FeatureCache(tmp_path, 3 * size), "c")  # all three and the unfinished one would be four
    assert folders(tmp_path) == {"b", "c", being_written}


def test_what_another_process_finishes_meanwhile_disturbs_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its unfinished folder is there when one looks, and has its final name a moment later."""
    path = tmp_path / unfinished(tmp_path, "other", 5)
    is_dir = Path.is_dir

    def seen_then_renamed(seen: Path, **named: Any) -> bool:
        found = is_dir(seen, **named)
        if seen == path and found:
            seen.rename(tmp_path / "other")
        return found

    monkeypatch.setattr(Path, "is_dir", seen_then_renamed)
    store = FeatureCache(tmp_path, ROOMY)
    write(store, "a")
    assert holds(store, "a")


def test_an_entry_in_a_folder_that_is_only_for_reading_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    store = FeatureCache(tmp_path, ROOMY)
    write(store, "a")
    monkeypatch.setattr(os, "utime", forbidden)
    assert holds(store, "a")


def _write_slowly(folder: Path, key: str, told: Connection, seconds: float, halt_at: int | None) -> None:
    """Tells before each batch, and when all is done; goes no further than before batch `halt_at`."""

    def slowly() -> Iterator[Mapping[str, Sequence[np.ndarray]]]:
        for number, batch in enumerate(batches([key], size=2)):
            told.send(number)
            time.sleep(3600 if number == halt_at else seconds)
            yield batch

    store = FeatureCache(folder, ROOMY)
    with store.writing(key, lambda: None):
        store.write(shapes([key]), slowly(), {})
    told.send("done")


def start_writer(folder: Path, key: str, seconds: float, halt_at: int | None = None) -> tuple[Any, Connection]:
    listen, tell = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=_write_slowly, args=(folder, key, tell, seconds, halt_at), daemon=True)
    process.start()
    tell.close()
    return process, listen


@pytest.mark.slow
def test_a_writer_killed_at_any_moment_leaves_nothing_wrong_and_no_lock(tmp_path: Path) -> None:
    chance = random.Random(0)
    last = ROWS // 2  # of its batches; then come syncing and renaming, and the word that all is done
    cut_off = {"in a batch": 0, "at the end": 0, "after it": 0}
    for trial in range(51):
        key, moment = f"{trial:03d}", list(cut_off)[trial % 3]
        heard = chance.randint(1, last) if moment == "in a batch" else last + (moment == "after it")
        # Only a writer that halts is surely killed in a batch, however busy the machine.
        halt_at = heard - 1 if moment == "in a batch" else None
        process, listen = start_writer(tmp_path, key, seconds=0, halt_at=halt_at)
        for _ in range(heard):
            listen.recv()
        time.sleep(chance.choice([0, chance.uniform(0, 0.02)]))
        process.kill()
        process.join()
        store = FeatureCache(tmp_path, ROOMY)
        cut_off[moment] += not holds(store, key)
        write(store, key)  # fails where the lock is still held
        assert holds(store, key)
    assert cut_off["in a batch"] == 17
    assert cut_off["after it"] == 0
    assert all(name.startswith(".") or holds(store, name) for name in folders(tmp_path))


def test_one_process_writes_and_the_other_waits_and_reads(tmp_path: Path) -> None:
    process, listen = start_writer(tmp_path, "a", seconds=0.005)
    assert listen.recv() == 0
    store = FeatureCache(tmp_path, ROOMY)
    assert store.open("a") is None
    waited: list[bool] = []
    with store.writing("a", lambda: waited.append(holds(store, "a"))):
        assert holds(store, "a")
    process.join()
    assert waited == [False]  # once, and before it was there
    messages: list[Any] = [*range(1, ROWS // 2), "done"]
    assert [listen.recv() for _ in messages] == messages


def test_who_waits_for_a_process_that_is_killed_takes_its_place(tmp_path: Path) -> None:
    process, listen = start_writer(tmp_path, "a", seconds=0.5)
    listen.recv()
    store = FeatureCache(tmp_path, ROOMY)
    with store.writing("a", process.kill):
        assert not holds(store, "a")
        store.write(shapes(["a"]), batches(["a"]), {})
    assert holds(store, "a")


def test_two_processes_write_different_things_side_by_side(tmp_path: Path) -> None:
    process, listen = start_writer(tmp_path, "a", seconds=0.01)
    listen.recv()
    write(FeatureCache(tmp_path, ROOMY), "b")  # fails where it would wait
    assert process.is_alive()
    process.kill()


def _write_again_and_again(folder: Path, told: Connection) -> None:
    """As two arms do that share a cut but not all of their cuts, so that their locks have different names."""
    store, wrong = FeatureCache(folder, ROOMY), ""
    for _ in range(100):
        try:
            store.write(shapes(["a"]), batches(["a"]), {})
        except OSError as error:
            wrong = str(error)
            break
    told.send(wrong)


def test_two_writers_of_one_entry_do_not_disturb_each_other(tmp_path: Path) -> None:
    pipes = [PROCESSES.Pipe(duplex=False) for _ in range(2)]
    processes = [PROCESSES.Process(target=_write_again_and_again, args=(tmp_path, tell)) for _, tell in pipes]
    for process in processes:
        process.start()
    assert [listen.recv() for listen, _ in pipes] == ["", ""]
    for process in processes:
        process.join()
    assert holds(FeatureCache(tmp_path, ROOMY), "a")


def test_a_key_changes_with_every_part() -> None:
    parts: dict[str, Any] = {"format": 1, "prefix": "abc", "crop": "centre", "batch": 32, "libraries": {"numpy": "2.1"}}
    changes: dict[str, Any] = {
        "format": 2,
        "prefix": "abd",
        "crop": "food10, 2 views",
        "batch": "32",
        "libraries": {"numpy": "2.2"},
    }
    keys = {key_of(parts), *(key_of(parts | {name: value}) for name, value in changes.items())}
    keys |= {key_of({k: v for k, v in parts.items() if k != name}) for name in parts}
    assert len(keys) == 1 + 2 * len(parts)
    assert all(key.isalnum() and len(key) == 24 for key in keys)
    assert key_of(dict(reversed(parts.items()))) == key_of(parts)
