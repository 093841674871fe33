"""The base of all errors that a user can correct."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from ray import cloudpickle

from errors import PodiumError, arg, name_arguments, pluralize, unknown_name
from trainables.learner import Fatal, Infeasible
from tuning.plan.settings import UsageError


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (PodiumError("no image"), "no image"),
        (PodiumError("no image", remedy=f"check {arg.data}"), "no image; check data"),
        (PodiumError("must be at least 1", argument="trials", value=0), "trials is 0, but must be at least 1"),
        (PodiumError("must be none", argument="augmentation", value="x"), "augmentation is 'x', but must be none"),
        (PodiumError("unknown column", argument="where"), "where: unknown column"),
    ],
)
def test_one_sentence_of_its_parts(error: PodiumError, sentence: str) -> None:
    assert str(error) == sentence


TYPED = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))  # a shell passes no NUL on
NAMES = {"weights": "--weights", "gpus_per_trial": "--gpus-per-trial", "data": "--from"}


@given(TYPED, TYPED, TYPED)
@example("{data}/{{a}}", "{weights}", "arg.data")
def test_the_caller_names_the_arguments_and_no_text_of_a_user(path: str, value: str, more: str) -> None:
    error = PodiumError(
        f"{path} is no file {arg.data} can name", argument="weights", value=value, remedy=f"{more} {arg.gpus_per_trial}"
    )
    assert str(error) == f"weights is {value!r}, but {path} is no file data can name; {more} gpus_per_trial"
    assert (
        name_arguments(error.template, NAMES)
        == f"--weights is {value!r}, but {path} is no file --from can name; {more} --gpus-per-trial"
    )


def test_an_argument_is_looked_up_as_it_is_spelled() -> None:
    assert arg["data"] == arg.data
    assert not hasattr(arg, "__wrapped__")


@pytest.mark.parametrize("kind", [PodiumError, UsageError, Fatal, Infeasible])
@pytest.mark.parametrize("through", [pickle, cloudpickle])
def test_all_fields_survive_the_way_between_processes(kind: type[PodiumError], through: object) -> None:
    error = kind("must be at least 1", argument="trials", value=0, remedy="ask for more")
    copy = through.loads(through.dumps(error))  # type: ignore[attr-defined]
    assert type(copy) is kind
    assert (
        vars(copy)
        == vars(error)
        == {"message": error.message, "argument": "trials", "value": 0, "remedy": "ask for more"}
    )
    assert str(copy) == "trials is 0, but must be at least 1; ask for more"


def test_counts_and_names_in_words() -> None:
    assert (pluralize(1, "class", "classes"), pluralize(2, "class", "classes")) == ("1 class", "2 classes")
    assert unknown_name("arm", "PIXEL", ("pixels", "x")) == "unknown arm 'PIXEL'; did you mean pixels? Known: pixels, x"
    assert unknown_name("arm", "q", map(str, range(60))).endswith("49 and 10 more")
