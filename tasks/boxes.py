"""Boxes: where is the airplane? With VGG16 frozen, or partly trained (deep-learning report).

Published (deep-learning report, bounding-box regression): a curve of the loss, no number. There the test images were
the validation data; here 80 / 10 / 10.

    python cli.py tune boxes --gpus 1
    python cli.py tune boxes --configs published      # the report's own setting
    python cli.py tune boxes --sample                 # drawn scenes, no network, minutes
"""

from functools import partial

from datasets.dataset import Counts
from datasets.input_config import InputConfig
from datasets.sources.caltech101_airplanes import Airplanes
from datasets.synthetic.generated_scenes import GeneratedScenes
from search_spaces import boxes
from search_spaces.objective import Objective
from tasks.task import Sample, Task, arm, table

VIEW = InputConfig(image_size=224, fit="stretch")


_arm = partial(arm, view=VIEW, max_epochs=25, model="fine_tuned")
TASK = Task(
    name="boxes",
    title="Where is the airplane?",
    source="deep-learning report, bounding-box regression",
    dataset=Airplanes(counts=Counts(train=640, val=80, test=80)),
    target="box",
    objective=Objective(metric="val_iou"),
    arms=(_arm("frozen", "Frozen Backbone", boxes.FROZEN), _arm("fine_tuned", "Fine-Tuned Backbone", boxes.FINE_TUNED)),
    tables=(
        table(
            *("boxes", "Boxes: overlap (IoU) and loss"),
            test_iou="Test IoU",
            test_loss="Test Loss (MSE)",
            test_iou_at_least_half="IoU at least 0.5",
            val_iou="Validation IoU",
            train_iou="Training IoU",
        ),
    ),
    sample=Sample(
        dataset=GeneratedScenes(
            name="boxes-sample",
            title="generated scenes with one dish each (sample)",
            classes=("churros",),
            counts=Counts(train=600, val=80, test=120),
            side=112,
            seed=14,
        ),
        views=InputConfig(image_size=96, fit="stretch"),
        epochs=12,
        fixed={"preprocessing": "own"},
        parameters=boxes.SAMPLE,
    ),
)
