"""What a user sees of long work: bars on a terminal, now and then a line where there is none."""

from __future__ import annotations

import pytest

from commands.base.progress import bars, plain_lines


def test_folders_may_be_called_as_rich_writes_colours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("FORCE_COLOR", "1")  # by which Rich takes any output for a terminal
    with bars(quiet=False) as progress:
        progress("looking through /birds[red]/wren[/", 1, 2)
        progress("[/red]", 2, 2)
    assert "/birds[red]/wren[/" in capsys.readouterr().out


def test_without_a_terminal_there_are_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    progress = plain_lines(seconds=0)
    progress("decoding birds", 1500, 20000)
    progress("waiting", 0, 0)
    assert capsys.readouterr().err == "decoding birds: 1,500 of 20,000\nwaiting\n"
    seldom = plain_lines(seconds=60)
    seldom("decoding birds", 1, 2)
    for quiet in (False, True):
        with bars(quiet) as progress:
            progress("decoding birds", 1, 2)
    assert capsys.readouterr() == ("", "")
