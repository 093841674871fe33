"""Outputs that are closed, lost or narrow: real processes, since file descriptors are the matter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
PYTHON = sys.executable


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", line],
        cwd=CHECKOUT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=60,
    )


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams(closed: str) -> None:
    done = shell(f"({PYTHON} cli.py tasks {closed}); echo status $?")
    assert "status 0" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_closed_number_is_not_given_to_the_next_file(tmp_path: Path) -> None:
    script = (
        "from commands.base.output import prepare_streams as p; p(); f = open(r'{0}', 'w'); print('noise', flush=True)"
    )
    done = shell(f'{PYTHON} -c "{script.format(tmp_path / "log")}" >&-')
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "log").read_text() == ""


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "ascii", "utf-8"])
def test_an_encoding_that_lacks_characters(encoding: str) -> None:
    done = shell(f"{PYTHON} cli.py tasks && {PYTHON} cli.py summarize nothing-café-花", PYTHONIOENCODING=encoding)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "Error: " in done.stderr


def test_a_reader_that_goes_away() -> None:
    done = shell(f"{PYTHON} cli.py tasks | head -1; echo ${{PIPESTATUS[0]}}")
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_a_process_outlives_its_reader(tmp_path: Path) -> None:
    script = (
        "import time; from commands.base.output import outlive_readers; outlive_readers()\n"
        "for number in range(50): print(number, flush=True); time.sleep(0.01)\n"
        f"open({str(tmp_path / 'done')!r}, 'w').write('to the end')"
    )
    (tmp_path / "script.py").write_text(script)
    done = shell(f"{PYTHON} {tmp_path / 'script.py'} | head -1", PYTHONPATH=str(CHECKOUT))
    assert done.stdout == "0\n"
    assert done.stderr == ""
    assert (tmp_path / "done").read_text() == "to the end"
