"""Types in a study's header: arms, axes, pre-training, data, and what its trials resumed from."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec


class AxisCondition(msgspec.Struct, frozen=True, kw_only=True):
    """Values of another axis under which an axis is drawn."""

    axis: str
    values: tuple[Any, ...]


class Axis(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """One axis of an arm's space."""

    name: str
    source: str = ""  # the report's section or the paper that the range comes from
    when: AxisCondition | None = None


class NumberAxis(Axis, frozen=True, kw_only=True):
    """An axis over a range, both ends included."""

    low: float
    high: float
    log: bool = False  # whether the axis is searched on a logarithmic scale


class FloatAxis(NumberAxis, frozen=True, kw_only=True, tag="real"):
    """A continuous axis."""


class IntAxis(NumberAxis, frozen=True, kw_only=True, tag="integer"):
    """A whole-number axis."""

    low: int
    high: int


class ChoiceAxis(Axis, frozen=True, kw_only=True, tag="choice"):
    """An axis over a finite list of values."""

    log: ClassVar[bool] = False
    values: tuple[Any, ...]
    allowed: tuple[Any, ...] = ()  # further values that a listed configuration may have


AnyAxis = FloatAxis | IntAxis | ChoiceAxis


class PretrainingHeader(msgspec.Struct, frozen=True, kw_only=True):
    """Recorded pre-training of an arm's backbone on other images."""

    epochs: int
    weights: str  # name of the file; arms that begin with the same file share one pre-training
    from_an_earlier_study: bool
    data: str = ""  # the data set's title
    config: dict[str, Any] = {}
    view: dict[str, Any] = {}
    seed: int = 0


class ArmHeader(msgspec.Struct, frozen=True, kw_only=True):
    """One arm as the study ran it."""

    name: str
    label: str = ""
    note: str = ""  # what a reader must know, such as a backbone that was swapped
    learner: str = "keras_learner"  # recorded word, see trainables/learners/registry.py
    model: str = ""  # recorded word
    view: dict[str, Any] = {}  # fields of the arm's input configuration
    trials: int = 0
    trains: bool = True  # False: measured once as its authors left it
    max_epochs: int = 1
    grace_epochs: int = 1
    axes: tuple[AnyAxis, ...] = ()
    constants: dict[str, Any] = {}
    pretraining: PretrainingHeader | None = None

    @property
    def title(self) -> str:
        return self.label or self.name

    def axis(self, name: str) -> AnyAxis | None:
        """Return the axis of that name, or None where the arm has none."""
        return next((axis for axis in self.axes if axis.name == name), None)


class EarlierEpoch(msgspec.Struct, frozen=True, kw_only=True):
    """One epoch of the training that a study resumed from."""

    epoch: int
    metrics: dict[str, float | None]


class ResumedFrom(msgspec.Struct, frozen=True, kw_only=True, rename={"trial": "from"}):
    """The checkpoint that a study's trials start from."""

    trial: str  # "cifar10/first/resnet-0003@70"; recorded as "from"
    epoch: int
    history: tuple[EarlierEpoch, ...] = ()


class DataHeader(msgspec.Struct, frozen=True, kw_only=True):
    """The images of a study. Every field is empty in studies that did not record it."""

    title: str = ""
    fingerprint: str = ""
    store: str | None = None  # path of the image store
    max_side: int | None = None  # pixels, longer side: images are decoded no larger
    white_level: float | None = None  # value shown as white where channels have more than 8 bits
    classes: tuple[str, ...] = ()
    counts: dict[str, int] = {}  # images by split
    notices: tuple[str, ...] = ()
