"""The learners by the names that tasks and records give them, and what each can do. It imports no framework."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from errors import unknown_name
from trainables.learner import Fatal, Learner

if TYPE_CHECKING:
    from trainables.phase_timer import PhaseTimer


@dataclass(frozen=True, kw_only=True)
class LearnerInfo:
    """A learner's module and its capabilities."""

    module: str  # with `create(gpu_fraction, watch)`
    model_bytes: int  # of a kept model, about: weights and test predictions
    can_resume: bool = False  # a learner.Resumable: keeps states of its training and goes on from them
    has_backbone: bool = False  # a learner.HasBackbone: what its pre-trained layers learned can be kept
    augments: bool = False  # trains on augmented images; others see every image once, as it is
    uses_features: bool = False  # learns on what a frozen backbone makes of the images, which is kept on disk

    def create(self, gpu_fraction: float = 0.0, watch: PhaseTimer | None = None) -> Learner:
        """Import the learner's module and create a learner that has not started.

        Args:
            gpu_fraction: The share of a GPU to which memory is limited; 0 leaves the GPU alone.
            watch: Where the learner books its seconds.
        """
        learner: Learner = importlib.import_module(self.module).create(gpu_fraction, watch)
        return learner


# Keys are the names that tasks and records of studies use: a name stays when its module moves.
# Sizes without top: VGG16 60 MB, NASNetMobile 17, EfficientNet-B7 260.
LEARNERS = {
    "keras_learner": LearnerInfo(
        module="trainables.learners.keras_network",
        model_bytes=60_000_000,
        can_resume=True,
        has_backbone=True,
        augments=True,
    ),
    "measured_learner": LearnerInfo(module="trainables.learners.pretrained", model_bytes=60_000_000),
    "features_learner": LearnerInfo(
        module="trainables.learners.feature_logistic",
        model_bytes=100_000_000,  # ResNet50's 94 MB come with its winner
        uses_features=True,
    ),
    "pixels_learner": LearnerInfo(module="trainables.learners.pixel_logistic", model_bytes=1_000_000),
    "numpy_learner": LearnerInfo(module="trainables.learners.numpy_mlp", model_bytes=1_000_000, augments=True),
    "mean_box_learner": LearnerInfo(module="trainables.learners.mean_box", model_bytes=1_000_000, augments=True),
}


def find_learner(name: str) -> LearnerInfo:
    """Return the learner by its recorded name.

    Raises:
        Fatal: There is none; the message has the nearest name.
    """
    if name not in LEARNERS:
        raise Fatal(unknown_name("learner", name, tuple(LEARNERS)))
    return LEARNERS[name]
