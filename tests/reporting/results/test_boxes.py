"""A study of boxes reads as one of classes does: its own scores in tables, curves and files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from reporting.formats.summarize import summarize_text
from reporting.plots.learning_curves import curves, draw_curves
from reporting.report.derived_files import write_derived
from reporting.significance.confidence_intervals import wilson
from reporting.significance.uncertainty import collect_uncertainty, evidence_fields
from reporting.tables.arm_tables import document_tables
from tasks.task import load_task
from tests.fixtures.study import example_events, record_of, write_study
from tuning.records.study_record import read_study


def box_events() -> list[dict[str, Any]]:
    """The example study, asked for boxes: what was accuracy is overlap, and four in five boxes overlap by half."""
    text = json.dumps(example_events(task="boxes"))
    for old, new in (("accuracy", "iou"), ("from_scratch", "frozen"), ("From Scratch", "Frozen")):
        text = text.replace(old, new)
    started, *rest = json.loads(text)
    for event in rest:
        if event["event"] == "test_measured":
            event["metrics"]["test_iou_at_least_half"] = 0.8
    return [{**started, "target": "box"}, *rest]


def test_the_table_of_boxes(tmp_path: Path) -> None:
    study = write_study(tmp_path / "boxes" / "example", box_events())
    text = summarize_text([study], "markdown")
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    assert lines[0][1:] == ["Test IoU", "Test Loss (MSE)", "IoU at least 0.5", "Validation IoU", "Training IoU"]
    frozen = next(cells for cells in lines if cells[0].startswith("Frozen"))
    assert frozen[1:5] == ["0.8000 ± 0.0200", "0.2000 ± 0.0200", "0.8000 ± 0.0000", "0.8100 ± 0.0100"]


def test_the_best_overlap_of_any_epoch_is_a_field() -> None:
    from reporting.results.arm_results import summarize_arms

    frozen = summarize_arms(record_of(box_events()))[0]
    assert frozen.metrics["max_val_iou"].mean == 0.81
    assert "max_val_accuracy" not in frozen.metrics


def test_the_evidence_is_of_boxes_that_overlap_by_half(tmp_path: Path) -> None:
    """McNemar's test and Wilson's interval ask how often an answer is right: of a box, whether it overlaps by half."""
    events = [event for event in box_events() if not str(event.get("trial", "")).endswith(("-0101", "-0102"))]
    study = write_study(tmp_path / "boxes" / "example", events)
    for arm, right in (("frozen", 8), ("fine_tuned", 8)):
        folder = study / "checkpoints" / f"{arm}-0100"
        folder.mkdir(parents=True)
        overlaps = np.where(np.arange(10) < right, 0.5, 0.49)
        boxes = np.zeros((10, 4), np.float32)
        stored = {"predicted_boxes": boxes, "true_boxes": boxes, "overlaps": overlaps}
        np.savez(folder / "test_predictions.npz", names=np.array(list("abcdefghij")), **stored)
    record = read_study(study)
    evidence = collect_uncertainty(record)
    assert evidence.of("frozen").interval == wilson(0.8, 10)
    (comparison,) = evidence.comparisons
    assert comparison.result is not None
    assert (comparison.result.difference, comparison.p) == (0.0, 1.0)
    fields = evidence_fields(evidence.of("frozen"))
    assert fields["test_accuracy_interval"] is None
    assert fields["test_iou_at_least_half_interval"] == list(wilson(0.8, 10))
    table = next(table for table in document_tables(record, load_task("boxes")) if table.name == "evidence")
    assert "IoU at least 0.5" in [heading.text for heading in table.headings]
    assert "of test boxes with IoU at least 0.5 on the same images" in table.remarks[-1]


def test_curves_show_the_overlap(tmp_path: Path) -> None:
    record = read_study(write_study(tmp_path, box_events()))
    assert [curve.arm for curve in curves(record, "val_iou")] == ["frozen", "fine_tuned"]
    assert draw_curves(record, tmp_path / "curves.png")


def test_derived_files(tmp_path: Path) -> None:
    study = write_study(tmp_path / "boxes" / "example", box_events())
    write_derived(study)
    summary = json.loads((study / "tables" / "summary.json").read_text())
    assert summary["rows"][0]["metrics"]["test_iou"]["mean"] == 0.8
    assert summary["rows"][0]["test_accuracy"] is None
    assert json.loads((study / "study.json").read_text())["target"] == "box"
    assert "val_iou" in (study / "history.csv").read_text().splitlines()[0]
