"""traffic-signs report: traffic signs with NASNetMobile, as it comes, from its structure, as features, and fine-tuned.

Published (traffic-signs report, its last table): CNN_10_relu 0.9481 on the test split, every NASNetMobile below 0.40.
The report validated on the test split; here the validation split is taken from training, by track. Its
`..._with_classifier` arms train from random weights, though its text says fine-tuning: the arm `fine_tuned` is what
that text describes.

    python cli.py tune traffic_signs --configs published --gpus 2      # the report's settings
    python cli.py tune traffic_signs --arms CNN_10_relu,fine_tuned
    python cli.py tune traffic_signs --sample                          # small, labelled, no network
"""

from typing import Any

from datasets.dataset import Counts
from datasets.input_config import InputConfig
from datasets.sources.traffic_signs import TrafficSigns
from search_spaces import traffic_signs as spaces
from search_spaces.space import Space
from tasks.task import DISHES, Arm, Sample, Task, arm, sample_pictures, table

VIEW = InputConfig(image_size=32, fit="stretch", recipe="traffic_signs")


def _arm(name: str, space: Space, model: str = "fine_tuned", **more: Any) -> Arm:
    return arm(name, name, space, VIEW, **{"max_epochs": 10, "model": model, **more})


def _as_it_comes(name: str, *, zoom: bool) -> Arm:
    untrained = {"learner": "measured_learner", "trains": False, "max_epochs": 1, "note": "nothing is trained"}
    return _arm(name, spaces.as_it_comes(zoom=zoom), "as_is", **untrained)


def _pair(name: str, space: Space, zoomed: Space) -> tuple[Arm, Arm]:
    """Return the arm at 32 pixels and the one that the network enlarges to 256."""
    return _arm(name, space), _arm(f"{name}_zoom_data", zoomed)


TASK = Task(
    name="traffic_signs",
    title="Traffic signs: what of NASNetMobile carries over?",
    source="traffic-signs report",
    dataset=TrafficSigns(),
    arms=(
        _arm("CNN_10_relu", spaces.CONVOLUTIONS, "plain_cnn"),
        _as_it_comes("base_NASNetMobile", zoom=False),
        _as_it_comes("base_NASNetMobile_zoom_data", zoom=True),
        *_pair("NASNetMobile", *spaces.MORE_LABELS),
        *_pair("base_NASNetMobile_with_classifier", *spaces.AS_FEATURES),
        *_pair("NASNetMobile_with_classifier", *spaces.FROM_ITS_STRUCTURE),
        _arm("fine_tuned", spaces.FINE_TUNED, note="ImageNet weights, all of it trained: as the report's text has it"),
    ),
    tables=(
        table(
            *("result_table", "All models"),
            label="Model name",
            test_accuracy="Test accuracy",
            test_loss="Test loss",
            train_accuracy="Train accuracy",
            train_loss="Train loss",
            train_seconds="Time_train (s)",
        ),
    ),
    sample=Sample(
        dataset=sample_pictures(
            "traffic_signs-sample", DISHES[:5], Counts(train=40, val=12, test=20), side=48, seed=13
        ),
        views=VIEW,
        epochs=2,
        trials=1,
        fixed={"preprocessing": "own", "zoom": 128, "batch_size": 32},
        notes={"zoom": "zoomed to 128 pixels, not 256"},
    ),
)
