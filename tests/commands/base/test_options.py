"""Where stores and downloads lie when the user says nothing: another folder would build every store again."""

from __future__ import annotations

from pathlib import Path

import pytest

from commands.base.options import data_folder

LINUX = pytest.mark.skipif("sys.platform != 'linux'", reason="each system has a cache folder of its own")


@LINUX
def test_the_cache_folder_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for empty in ("", None):
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
        if empty is not None:
            monkeypatch.setenv("XDG_CACHE_HOME", empty)
        assert data_folder(None) == tmp_path / ".cache" / "podium"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    assert data_folder(None) == tmp_path / "elsewhere" / "podium"
    assert list(tmp_path.iterdir()) == []  # asking makes nothing


def test_the_folder_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_folder(Path("~/data")) == tmp_path / "data"
