"""food10 report: ten classes of Food-101, a network from scratch against a fine-tuned NASNetMobile.

Published (food10 report, section 5): from scratch 0.8750 test accuracy, fine-tuned 0.9000.
The report's question is asked again here with an equal search for both arms and three seeds a row.

    python cli.py tune food10 --gpus 2
    python cli.py tune food10 --arms fine_tuned,pretrained_on_food --gpus 2      # the report's own next step
    python cli.py tune food10 --sample      # minutes on two cores, no network
"""

from dataclasses import replace

from datasets.dataset import Counts
from datasets.input_config import InputConfig
from datasets.sources import food101
from search_spaces import food10
from tasks.task import Pretraining, Sample, Task, arm, sample_pictures, table

# The classes assigned to the report's author (its section 1, file 50.txt).
CLASSES: tuple[str, ...] = ("beef_carpaccio", "bibimbap", "cheese_plate", "chocolate_cake", "churros", "dumplings")
CLASSES += ("fish_and_chips", "french_toast", "fried_rice", "strawberry_shortcake")
VIEW, SMALL = InputConfig(image_size=224, augmentation="live", recipe="food10"), InputConfig(image_size=80)
FINE_TUNED = arm("fine_tuned", "Fine Tuned (Best Variant)", food10.FINE_TUNED, VIEW, max_epochs=150, model="fine_tuned")
FROM_SCRATCH = arm(
    "from_scratch",
    "From Scratch (Best Variant)",
    food10.FROM_SCRATCH,
    replace(VIEW, image_size=256),
    max_epochs=400,
    model="residual",
)
SMALL_COUNTS = Counts(train=32, val=12, test=16)
OTHERS = food101.Food101(
    name="food91",
    title="Food-101's other 91 classes",
    classes=tuple(name for name in food101.CLASSES if name not in CLASSES),
    counts=Counts(train=900, val=100, test=0),
    max_side=256,  # 224 are seen; 18 GB at most, where 512 would be 72
)
PRETRAINED = replace(
    FINE_TUNED,
    name="pretrained_on_food",
    label="Fine Tuned (Food Backbone)",
    pretraining=Pretraining(dataset=OTHERS, config=food10.PRETRAINING, view=VIEW, epochs=20),
)
TASK = Task(
    name="food10",
    title="Food-10: from scratch or fine-tuned?",
    source="food10 report, sections 1 to 5",
    # 7500 / 2000 / 500 images in all, as the report splits them.
    dataset=food101.Food101(
        name="food10", title="Food-101, ten classes", classes=CLASSES, counts=Counts(train=750, val=200, test=50)
    ),
    arms=(FROM_SCRATCH, FINE_TUNED),
    more_arms=(PRETRAINED,),
    tables=(
        table("best_variants", "Best variant of each model type, tested", "test_accuracy", "test_loss"),
        table(
            *("best_model", "Performance of the best model"),
            *("train_accuracy", "train_loss", "val_accuracy", "val_loss", "test_accuracy", "test_loss"),
            rows="best",
        ),
    ),
    sample=Sample(  # at a size that two cores answer in minutes; each arm's pixels as they can bear
        dataset=sample_pictures("food10-sample", CLASSES, SMALL_COUNTS, side=96, seed=10),
        views={"from_scratch": InputConfig(image_size=56), "fine_tuned": SMALL, "pretrained_on_food": SMALL},
        epochs=6,
        parameters=[food10.SAMPLE_FROZEN_FRACTION],
        pretraining=sample_pictures(
            "food10-sample-first", ("donuts", "pizza", "ravioli", "sushi"), SMALL_COUNTS, side=96, seed=10
        ),
    ),
)
