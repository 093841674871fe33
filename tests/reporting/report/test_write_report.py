"""`report.html`: whole in itself, honest HTML, the numbers of the tables, and nothing of a name taken as a tag."""

from __future__ import annotations

import re
import shutil
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

import cli
from reporting.audit.audit import audit
from reporting.report.html_page import page
from reporting.report.winner_summary import winner_summary
from reporting.report.write_report import LEAST_TRIALS, arm_pictures
from reporting.tables.trial_table import MOST, trial_list
from tests.fixtures.predictions import study_with_predictions
from tests.fixtures.report import study, study_events
from tests.fixtures.study import example_events, example_task, record_of, write_study
from tuning.records.study_record import StudyRecord, read_study

VOID = {"meta", "link", "img", "br"}


class Outline(HTMLParser):
    """Tags in order with their attributes; every opened element must be closed in turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip() and self.open:
            self.texts.append((self.open[-1], data))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def said_in(self, tag: str) -> list[str]:
        return [text for name, text in self.texts if name == tag]


def written(record: StudyRecord) -> str:
    """The page of a study without its pictures."""
    return page(record, example_task(), audit(record))


def test_the_page_is_sound() -> None:
    outline = Outline(written(study(fine_tuned={"overfits": True})))
    assert outline.open == []
    levels = [int(tag[1]) for tag, _ in outline.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for landmark in ("header", "nav", "main", "footer"):
        assert len(outline.of(landmark)) == 1
    ids = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for link in outline.of("a"):
        assert str(link["href"]).removeprefix("#") in ids
    for section in outline.of("section"):
        assert section["aria-labelledby"] in ids
    scrolling = [attributes for tag, attributes in outline.tags if attributes.get("role") == "region"]
    assert scrolling
    assert all(one["tabindex"] == "0" and ("aria-label" in one or "aria-labelledby" in one) for one in scrolling)
    assert all(heading.get("scope") for heading in outline.of("th"))


def test_it_says_what_the_study_said() -> None:
    record = study(fine_tuned={"overfits": True})
    text, outline = written(record), Outline(written(record))
    [finding] = audit(record).findings
    assert finding.command in outline.said_in("code")
    assert record.header.command in outline.said_in("code")
    assert "f" * 64 in outline.said_in("dd")
    assert "python 3.11.7, optuna 5.0.0" in outline.said_in("dd")
    assert "0.9000 ± 0.0020" in outline.said_in("td")  # test accuracy of fine_tuned, as in the tables
    assert "fine_tuned: fine_tuned-confirm-0, fine_tuned-confirm-1, fine_tuned-confirm-2 (confirmed winners)" in text
    for trial in record.trials.values():
        assert trial.trial in outline.said_in("td")


def test_a_name_is_never_a_tag() -> None:
    events = example_events()
    for arm in events[0]["arms"]:
        arm["label"] = '<script>alert("1")</script>'
    events[0]["command"] = "python cli.py tune '<img src=x onerror=alert(1)>' & more"
    outline = Outline(written(record_of(events)))
    assert len(outline.of("script")) == 1
    assert not outline.of("img")
    assert '<script>alert("1")</script>' in outline.said_in("h3")


@pytest.mark.parametrize("events", [example_events()[:1], example_events(missing_arm=True, end=None)])
def test_a_study_that_lacks_things_has_a_page(events: list[dict[str, Any]]) -> None:
    outline = Outline(written(record_of(events)))
    assert any("no end yet" in text for text in outline.said_in("p"))


def test_a_long_list_shows_its_best() -> None:
    record = study(trials=MOST + 100, epochs=2)
    found = trial_list(record, "fine_tuned")
    assert (len(found.rows), found.of) == (MOST, MOST + 103)
    values = [float(cells[3]) for _, cells in found.rows]
    assert values == sorted(values, reverse=True)
    assert values[0] == round(max(trial.best or 0 for trial in record.of_arm("fine_tuned")), 4)
    assert found.numeric[found.headings.index("learning_rate")]
    assert not found.numeric[found.headings.index("schedule")]


@pytest.mark.slow  # draws nine pictures
def test_two_hundred_trials_in_one_small_file(tmp_path: Path) -> None:
    header, *events = study_events(100, 12, from_scratch={"infeasible_above": 5e-3})
    for arm in header["arms"]:  # as many trials, fewer pictures
        arm["axes"] = [axis for axis in arm["axes"] if axis["name"] == "learning_rate"]
    folder = write_study(tmp_path / "food10" / "many", [header, *events])
    result = CliRunner().invoke(cli.cli, ["report", "many", "--results", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "Audit: " in result.output
    assert str(folder / "report.html") in result.output
    text = (folder / "report.html").read_text()
    assert len(text) < 5e6
    outline = Outline(text)
    images = outline.of("img")
    pictures = sorted(folder.rglob("*.png"))
    assert len(images) == len(pictures) == 9
    assert all(image["alt"] and str(image["src"]).startswith("data:image/png;base64,") for image in images)
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", text)  # nothing from anywhere else
    assert not [path for path in folder.rglob("*") if ".partial" in path.name]
    with Image.open(folder / "plots" / "fine_tuned" / "effect_learning_rate.png") as picture:
        assert picture.size == (800, 560)


@pytest.mark.parametrize(("arguments", "message"), [(("nothing",), "no study 'nothing'"), ((), "Missing argument")])
def test_what_cannot_be_is_one_line(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    result = CliRunner().invoke(cli.cli, ["report", *arguments, "--results", str(tmp_path)])
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_page_begins_with_the_winner_its_model_and_its_mistakes(tmp_path: Path) -> None:
    folder = study_with_predictions(tmp_path / "study")
    model = folder / "winners" / "fine_tuned"
    model.mkdir(parents=True)
    (model / "model.keras").write_bytes(b"a model")
    record = read_study(folder)
    trial = record.confirmed("fine_tuned")[0].trial
    shutil.copy(folder / "checkpoints" / trial / "test_predictions.npz", model)
    found = winner_summary(record)
    assert found is not None
    assert found.arm == "fine_tuned"
    assert "0.8900" in found.measured
    assert "interval" in found.measured
    assert found.mistakes
    probabilities = [mistake.probability for mistake in found.mistakes]
    assert probabilities == sorted(probabilities, reverse=True)
    assert all(mistake.true != mistake.predicted for mistake in found.mistakes)
    outline = Outline(page(record, example_task(), audit(record)))
    assert str(model / "model.keras") in outline.said_in("code")
    assert {mistake.name for mistake in found.mistakes} <= set(outline.said_in("th"))


def test_a_study_without_tests_has_no_winner(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "study", example_events()[:1])
    assert winner_summary(read_study(folder)) is None


def test_few_trials_show_no_effects_of_axes() -> None:
    few, many = study(trials=LEAST_TRIALS - 1), study(trials=LEAST_TRIALS)
    names = [picture.name for picture in arm_pictures(few, "fine_tuned")[0]]
    assert not any("effect" in name for name in names)
    assert any(str(LEAST_TRIALS) in remark for remark in arm_pictures(few, "fine_tuned")[1])
    assert any("effect" in picture.name for picture in arm_pictures(many, "fine_tuned")[0])
