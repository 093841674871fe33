"""Document 4: ten classes of Food-101, a network from scratch against a fine-tuned NASNetMobile.

Published (document 4, section 5): from scratch 0.8750 test accuracy, fine-tuned 0.9000.
The document's question is asked again here with an equal search for both arms and three seeds a row.

    python cli.py tune food10 --gpus 2
    python cli.py tune food10 --sample      # minutes on two cores, no network
"""

from __future__ import annotations

from dataclasses import replace

from datasets.dataset import Counts
from datasets.food101 import Food101
from datasets.generated import GeneratedPictures
from datasets.view import View
from search_spaces import backbones, food10
from search_spaces.space import Choice
from tasks.task import Arm, Column, Defaults, Table, Task

# The classes assigned to the document's author (its section 1, file 50.txt).
CLASSES = (
    "beef_carpaccio",
    "bibimbap",
    "cheese_plate",
    "chocolate_cake",
    "churros",
    "dumplings",
    "fish_and_chips",
    "french_toast",
    "fried_rice",
    "strawberry_shortcake",
)

TASK = Task(
    name="food10",
    title="Food-10: from scratch or fine-tuned?",
    source="document 4, sections 1 to 5",
    # 7500 / 2000 / 500 images in all, as the document splits them.
    dataset=Food101(
        name="food10", title="Food-101, ten classes", classes=CLASSES, counts=Counts(train=750, val=200, test=50)
    ),
    arms=(
        Arm(
            name="from_scratch",
            label="From Scratch (Best Variant)",
            model="residual",
            space=food10.FROM_SCRATCH,
            view=View(image_size=256, augmentation="live", recipe="food10"),
            max_epochs=400,
        ),
        Arm(
            name="fine_tuned",
            label="Fine Tuned (Best Variant)",
            model="fine_tuned",
            space=food10.FINE_TUNED,
            view=View(image_size=224, augmentation="live", recipe="food10"),
            max_epochs=150,
        ),
    ),
    tables=(
        Table(
            name="best_variants",
            title="Best variant of each model type, tested",
            columns=(
                Column(field="test_accuracy", heading="Test Accuracy"),
                Column(field="test_loss", heading="Test Loss"),
            ),
        ),
        Table(
            name="best_model",
            title="Performance of the best model",
            rows="best",
            columns=(
                Column(field="train_accuracy", heading="Training Accuracy"),
                Column(field="train_loss", heading="Training Loss"),
                Column(field="val_accuracy", heading="Validation Accuracy"),
                Column(field="val_loss", heading="Validation Loss"),
                Column(field="test_accuracy", heading="Test Accuracy"),
                Column(field="test_loss", heading="Test Loss"),
            ),
        ),
    ),
)

_FROM_SCRATCH, _FINE_TUNED = TASK.arms

# The same question at a size that two cores answer in minutes, without a network.
SAMPLE = replace(
    TASK,
    dataset=GeneratedPictures(
        name="food10-sample",
        title="generated pictures in ten classes (sample)",
        classes=CLASSES,
        counts=Counts(train=32, val=12, test=16),
        side=96,
        seed=10,
    ),
    arms=(
        replace(_FROM_SCRATCH, view=View(image_size=56), max_epochs=6),
        replace(
            _FINE_TUNED,
            space=_FINE_TUNED.space.restrict(
                backbones.choice("EfficientNetLite0", source="the one whose weights need no network, for the sample")
            ).restrict(
                Choice(
                    name="frozen_fraction", values=(0.6, 0.8), source="document 4's range at two points, for the sample"
                )
            ),
            view=View(image_size=80),
            max_epochs=6,
            note="sample: EfficientNetLite0 in place of NASNetMobile",
        ),
    ),
    defaults=Defaults(trials=6, confirm_seeds=1),
)

TASK = replace(TASK, sample=SAMPLE)
