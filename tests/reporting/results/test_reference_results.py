"""Published numbers: read as printed, and refused in one line where they cannot be right."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

import cli
from reporting.errors import ReportingError
from reporting.results.reference_results import FOLDER, read_published
from tasks.task import load_task, task_names
from tests.fixtures.study import example_events, example_task, write_study

HEADER = "table,row,column,value,note,source\n"


def test_document_4_is_complete_and_verbatim() -> None:
    published = read_published(example_task())

    printed = {key: value.text for key, value in published.values.items() if key[0] != "runs"}
    assert printed == {
        ("best_variants", "from_scratch", "test_accuracy"): "0.8750",
        ("best_variants", "from_scratch", "test_loss"): "0.4528",
        ("best_variants", "fine_tuned", "test_accuracy"): "0.9000",
        ("best_variants", "fine_tuned", "test_loss"): "0.4108",
        ("best_model", "fine_tuned", "train_accuracy"): "0.9836",
        ("best_model", "fine_tuned", "train_loss"): "0.0559",
        ("best_model", "fine_tuned", "val_accuracy"): "0.9057",
        ("best_model", "fine_tuned", "val_loss"): "0.3771",
        ("best_model", "fine_tuned", "test_accuracy"): "0.9000",
        ("best_model", "fine_tuned", "test_loss"): "0.4108",
    }
    assert all(value.source.startswith("food10 report, section") for value in published.values.values())


def test_the_four_best_runs_of_the_screenshot_are_kept() -> None:
    published = read_published(example_task())

    assert len(published.rows("runs")) == 4
    second = published.get("runs", "from_scratch_2", "test_accuracy")
    assert second is not None
    assert second.text == "0.8896"
    assert second.note == "random 480 of 500 test images"


DOCUMENT_3 = """
CNN_10_relu                                 0.9481  0.3136  0.999   0.0033  2071.7088
base_NASNetMobile                           0.0001  8.9801  0.0002  9.5025  28.2086
base_NASNetMobile_zoom_data                 0.0     8.1943  0.0001  8.2727  77.7223
NASNetMobile                                0.2848  10.435  0.9809  0.0613  1682.9806
NASNetMobile_zoom_data                      0.3943  9.3234  0.9963  0.0125  10204.6502
base_NASNetMobile_with_classifier           0.0371  4.5505  0.5516  1.5534  234.5792
base_NASNetMobile_with_classifier_zoom_data 0.0071  16.0032 0.0233  15.7433 1807.578
NASNetMobile_with_classifier                0.0279  15.2123 0.9760  0.0872  1709.9733
NASNetMobile_with_classifier_zoom_data      0.0574  14.7554 0.9806  0.0958  10318.4132
"""
# Where the report's table and its raw log differ: accuracy and loss in the log, on test and on train.
RAW_LOGS = {
    "NASNetMobile": (("0.3606", "9.4350"), ("0.3812", "9.0008")),
    "NASNetMobile_zoom_data": (("0.2371", "11.8239"), ("0.2660", "11.4953")),
    "base_NASNetMobile_with_classifier": (None, ("0.0461", "4.8162")),
    "NASNetMobile_with_classifier": (("0.4541", "4.0931"), ("0.5236", "3.4453")),
    "NASNetMobile_with_classifier_zoom_data": (None, ("0.0706", "14.5958")),
}


def test_document_3_is_complete_and_verbatim() -> None:
    published = read_published(load_task("traffic_signs"))

    fields = ("test_accuracy", "test_loss", "train_accuracy", "train_loss", "train_seconds")
    printed = {
        ("result_table", row, field): text
        for row, *texts in (line.split() for line in DOCUMENT_3.strip().splitlines())
        for field, text in zip(fields, texts, strict=True)
    }
    assert {key: value.text for key, value in published.values.items()} == printed


def test_document_3_says_of_each_number_where_it_is_from() -> None:
    values = read_published(load_task("traffic_signs")).values
    for (_, row, column), value in values.items():
        split = column.partition("_")[0]
        if column == "train_seconds":
            continue
        on_test, on_train = RAW_LOGS.get(row, (None, None))
        told = on_test if split == "test" else on_train
        expected = f"its raw log has accuracy {told[0]} and loss {told[1]}" if told else ""
        assert expected in value.note
        assert ("raw log has" in value.note) == bool(told)
        # It was chosen among 42 networks by its accuracy on test; the others were evaluated there, not selected.
        assert ("selected on test" in value.note) == (row == "CNN_10_relu" and split == "test")
        assert ("as reported while training" in value.note) == (split == "train" and told is not None)


DOCUMENT_2 = """
flowers17    minivggnet           0.57 0.58 0.58 0.58 0.58 0.57 0.57
flowers17    minivggnet_augmented 0.67 0.67 0.67 0.66 0.68 0.67 0.66
flowers17    vgg16_features       0.89 0.90 0.90 0.89 0.90 0.89 0.89
flowers17    surgery_warm_up      0.90 0.91 0.90 0.90 0.91 0.90 0.90
flowers17    surgery              0.94 0.95 0.95 0.95 0.95 0.94 0.94
dogs_vs_cats resnet50_features    0.99 0.99 0.99 0.99 0.99 0.99 0.99
cifar10      minigooglenet_exp1   0.90 0.90 0.90 0.90 0.90 0.90 0.90
cifar10      minigooglenet_exp2   0.91 0.91 0.91 0.91 0.91 0.91 0.91
cifar10      minigooglenet_exp3   0.91 0.91 0.91 0.91 0.91 0.91 0.91
cifar10      minivggnet_augmented 0.61 0.63 0.61 0.60 0.63 0.61 0.60
"""
# Accuracy; precision, recall and F1, macro and weighted: its nine reports, and one that only its code printed.
AVERAGES = ["macro_averages test_accuracy"]
AVERAGES += [
    f"{kind}_averages test_{kind}_{score}" for kind in ("macro", "weighted") for score in ("precision", "recall", "f1")
]


def test_document_2s_classification_reports_are_complete_and_verbatim() -> None:
    printed: dict[tuple[str, str, str, str], str] = {}
    for line in DOCUMENT_2.strip().splitlines():
        task, row, *texts = line.split()
        for place, text in zip(AVERAGES, texts, strict=True):
            table, column = place.split()
            printed[task, table, row, column] = text
    found = {
        (task, *key): value.text
        for task in ("flowers17", "dogs_vs_cats", "cifar10")
        for key, value in read_published(load_task(task)).values.items()
        if key[0].endswith("_averages")
    }
    assert found == printed


def test_document_2s_logs_are_kept_and_what_was_chosen_on_test_says_so() -> None:
    cifar10, tiny = read_published(load_task("cifar10")), read_published(load_task("tiny_imagenet"))
    assert {row: cifar10.values["logs", row, "max_val_accuracy"].text for row in cifar10.rows("logs")} == {
        "minivggnet": "0.82",
        "resnet_v3": "0.9335",
        "resnet_v4": "0.932699978351593",
    }
    assert all("selected on test" in value.note for key, value in cifar10.values.items() if key[0] == "logs")
    assert {row: tiny.values["logs", row, "max_val_accuracy"].text for row in tiny.rows("logs")} == {
        "deepergooglenet_adam": "0.54848",
        "resnet_v3": "0.54718",
        "resnet_v4": "0.5546875",
    }
    # Its validation images were not its test images there, but its script turned and shifted them.
    assert all("augmented" in value.note and "on test" not in value.note for value in tiny.values.values())
    assert (len(cifar10.rows("epochs")), len(tiny.rows("epochs"))) == (9, 7)


def test_document_2s_mistakes_stand_beside_the_numbers_they_touch() -> None:
    cifar10, flowers = read_published(load_task("cifar10")).values, read_published(load_task("flowers17")).values
    for (_, row, column), value in cifar10.items():
        swapped = row.startswith("minigooglenet_exp") and column.endswith(("_precision", "_recall"))
        assert ("swapped" in value.note) == swapped
    for (_, row, _), value in flowers.items():
        assert ("misspells" in value.note) == (row == "surgery")


# What no table of the task prints: a screenshot's runs; the epochs that a document prints of a whole log.
KEPT_APART = {("food10", "runs"), ("cifar10", "epochs"), ("tiny_imagenet", "epochs")}


@pytest.mark.parametrize("name", task_names())
def test_published_rows_are_arms_and_columns_are_columns_of_a_table(name: str) -> None:
    task = load_task(name)
    tables = {table.name: {column.field for column in table.columns} for table in task.tables}
    for table, row, column in read_published(task).values:
        if (name, table) in KEPT_APART:
            continue
        assert table in tables
        assert column in tables[table]
        assert row in {arm.name for arm in (*task.arms, *task.more_arms)}


def test_every_file_of_published_numbers_is_a_tasks() -> None:
    assert {path.stem for path in FOLDER.glob("*.csv")} - set(task_names()) == {"backbones"}


def test_a_task_of_ones_own_has_no_published_numbers(tmp_path: Path) -> None:
    assert not read_published(example_task(name="mine"), tmp_path).values


def test_a_percentage_is_a_fraction_to_machines(tmp_path: Path) -> None:
    (tmp_path / "food10.csv").write_text(HEADER + "best_variants,fine_tuned,test_accuracy,97.5%,,document 9\n")

    value = read_published(example_task(), tmp_path).get("best_variants", "fine_tuned", "test_accuracy")

    assert value is not None
    assert value.text == "97.5%"
    assert value.number == pytest.approx(0.975)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "begins with 'nothing'"),
        ("table,row,field,value,note,source\n", "its first line must name the columns"),
        (HEADER + "best_variants,fine_tuned,test_acuracy,0.9,,food10 report\n", "did you mean test_accuracy?"),
        (HEADER + "best_variants,fine_tuned,test_accuracy,about 0.9,,food10 report\n", "the value 'about 0.9'"),
        (HEADER + "best_variants,fine_tuned,test_accuracy,nan,,food10 report\n", "must be a number"),
        (HEADER + "best_variants,fine_tuned,test_accuracy,0.9,,\n", "has no source"),
        (
            HEADER + "best_variants,fine_tuned,test_accuracy,0.9,,food10 report, section 5\n",
            "has 7 fields, but needs 6",
        ),
        (HEADER + 2 * "best_variants,fine_tuned,test_accuracy,0.9,,food10 report\n", "stands twice"),
    ],
)
def test_what_cannot_be_right_is_refused_in_one_line(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "food10.csv").write_text(text)

    with pytest.raises(ReportingError) as error:
        read_published(example_task(), tmp_path)

    assert told in str(error.value)
    assert "\n" not in str(error.value)
    assert "food10.csv" in str(error.value)


def test_a_spreadsheets_encodings(tmp_path: Path) -> None:
    path = tmp_path / "food10.csv"
    line = "best_variants,fine_tuned,test_accuracy,0.9,mesuré,food10 report\n"
    path.write_text(HEADER + line, encoding="utf-8-sig")
    assert read_published(example_task(), tmp_path).values

    path.write_text(HEADER + line, encoding="latin-1")
    with pytest.raises(ReportingError, match="is not UTF-8 at byte"):
        read_published(example_task(), tmp_path)


def test_a_users_missing_comma_is_one_line_at_the_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_study(tmp_path / "results" / "food10" / "first", example_events())
    (tmp_path / "food10.csv").write_text(HEADER + "best_variants,fine_tuned,test_accuracy 0.9,,food10 report\n")
    monkeypatch.setattr(read_published, "__defaults__", (tmp_path,))

    result = CliRunner().invoke(cli.cli, ["summarize", "food10", "--results", str(tmp_path / "results")])

    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: {tmp_path / 'food10.csv'}, line 2 has 5 fields, but needs 6")
    assert result.stderr.count("\n") == 1
