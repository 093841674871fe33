"""deep-learning report, ShallowNet: cats, dogs and pandas by one convolution, or by a deeper network?

Published (deep-learning report, 2020-11-10-first-CNN-shallownet): just about 70 %, with the test images as its
validation data.

    python cli.py tune animals --data DIR                  # a sub-folder a class
    python cli.py tune animals --data DIR --configs published
    python cli.py tune animals --sample                    # generated pictures, no network
"""

from datasets.dataset import Counts
from datasets.input_config import InputConfig
from datasets.sources.animals import Animals
from search_spaces import animals
from tasks.task import DISHES, Sample, Task, arm, averages, sample_pictures

VIEW = InputConfig(image_size=32, fit="stretch")

TASK = Task(
    name="animals",
    title="Cats, dogs and pandas: is one convolution enough?",
    source="deep-learning report, 2020-11-10-first-CNN-shallownet",
    dataset=Animals(),
    arms=(
        arm("shallownet", "ShallowNet", animals.SHALLOWNET, VIEW, max_epochs=100),
        arm(
            "minivggnet",
            "MiniVGGNet",
            animals.MINIVGGNET,
            VIEW,
            max_epochs=100,
            note="ours to ask: not in the report's study",
        ),
    ),
    tables=averages(),
    sample=Sample(
        dataset=sample_pictures("animals-sample", DISHES[:3], Counts(train=60, val=20, test=30), side=48, seed=21),
        views=VIEW,
        epochs=8,
        trials=4,
        fixed={"batch_size": 8},  # batch normalization's moving averages need some 100 steps
    ),
)
