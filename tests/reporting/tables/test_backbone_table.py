"""The catalogue of backbones as a table, and the command that prints it and measures first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

import cli
from inspection.prediction import latency
from reporting.tables.backbone_table import backbones_text
from trainables.models.backbones.registry import CATALOGUE


@dataclass(frozen=True, kw_only=True)
class Small:
    """A backbone that reporting knows nothing of."""

    name: str
    image_size: int = 96
    parameters: int = 4_652_008
    layers: int = 151


def cells(text: str) -> dict[str, list[str]]:
    """The table's rows by their first cell; cells are two spaces apart at least."""
    lines = [line.strip() for line in text.splitlines()]
    table = lines[: lines.index("", 1)]
    rows = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in table if line]
    return {row[0]: row[1:] for row in rows if len(row) > 1}


@pytest.mark.parametrize(
    ("measured", "latencies"),
    [
        ({}, ["-"]),
        ({"processor": {"Mine": 12.345, "VGG19": 1.0}}, ["12.3 ms"]),
        ({"NVIDIA H200": {"Mine": 1.5}}, ["-", "1.5 ms"]),
        ({"NVIDIA H200": {"VGG19": 1.5}, "processor": {"Mine": 1234.5}}, ["1,234 ms", "-"]),
    ],
)
def test_ours_then_latencies_then_what_the_document_prints(
    measured: Mapping[str, Mapping[str, float]], latencies: list[str]
) -> None:
    text = backbones_text([Small(name="Mine"), Small(name="VGG16")], measured)
    found = cells(text)
    assert found["Mine"] == ["96", "151", "4.7 M", *latencies, *["-"] * 5]
    printed = ["528 MB", "0.713", "0.901", "138,357,544", "23"]
    assert found["VGG16"] == ["96", "151", "4.7 M", *["-"] * len(latencies), *printed]
    assert found["(MobileNet)"] == ["16 MB", "0.704", "0.895", "4,253,864", "88"]  # published only
    assert "VGG16" not in [name.strip("()") for name in found if name.startswith("(")]
    assert ("NVIDIA" in text) == ("NVIDIA H200" in measured)
    assert "…" not in text  # nothing is cut


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was measured, without a network: the first takes 1.5 ms, the second 2.5 ms."""
    names: list[str] = []

    def measure(name: str) -> tuple[str, float]:
        names.append(name)
        return "processor", len(names) + 0.5

    monkeypatch.setattr(latency, "measure", measure)
    return names


def backbones(folder: Path, *arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli.cli, ["backbones", "--data-dir", str(folder), *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_the_command_measures_remembers_and_prints(tmp_path: Path, measured: list[str]) -> None:
    status, printed, errors = backbones(tmp_path, "--measure", "VGG16, EfficientNetB0")
    assert (status, measured) == (0, ["VGG16", "EfficientNetB0"])
    assert errors == "measuring VGG16 ...\nmeasuring EfficientNetB0 ...\n"
    assert (cells(printed)["VGG16"][3], cells(printed)["EfficientNetB0"][3]) == ("1.5 ms", "2.5 ms")
    assert backbones(tmp_path)[1] == printed
    assert len(measured) == 2
    assert set(CATALOGUE) <= set(cells(printed))


def test_all_means_all(tmp_path: Path, measured: list[str]) -> None:
    assert backbones(tmp_path, "--measure", "all")[0] == 0
    assert measured == list(CATALOGUE)


@pytest.mark.parametrize(
    ("asked", "near"), [("VGG16,VGG18", "did you mean VGG19?"), ("VGG16,all", "unknown backbone 'all'")]
)
def test_a_wrong_name_is_told_before_any_is_measured(
    tmp_path: Path, measured: list[str], asked: str, near: str
) -> None:
    status, printed, errors = backbones(tmp_path, "--measure", asked)
    assert (status, printed, measured) == (2, "", [])
    assert errors.startswith("Error: --measure: unknown backbone")
    assert near in errors
    assert errors.count("\n") == 1
    assert not list(tmp_path.iterdir())
