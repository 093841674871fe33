"""The deep-learning report on CIFAR-10: MiniVGGNet, five of them averaged, MiniGoogLeNet, a pre-activation ResNet.

Published (deep-learning report): MiniVGGNet about 0.82; MiniGoogLeNet's three experiments 0.90, 0.91 and 0.91; ResNet
at best 0.9327, in an earlier version 0.9335. All chosen on the test images; here validation is carved from training.
MiniVGGNet's variants a, b and c are the schedules inverse_time_decay, step_decay_0.25, constant.

    python cli.py tune cifar10 --gpus 2
    python cli.py tune cifar10 --arms minivggnet_augmented --confirm-seeds 5 --gpus 2      # the ensemble of five
    python cli.py tune cifar10 --arms minigooglenet_exp1,minigooglenet_exp2,minigooglenet_exp3 --gpus 2
    python cli.py tune cifar10 --arms resnet_v3,resnet_v4 --configs published --gpus 2     # the report's settings
    python cli.py tune cifar10 --sample                                                    # generated, no network
"""

from dataclasses import replace

from datasets.dataset import Counts
from datasets.input_config import InputConfig
from datasets.sources.cifar10 import Cifar10
from search_spaces import cifar10 as spaces
from tasks.task import DISHES, Sample, Task, arm, averages, sample_pictures, table

PLAIN = InputConfig(image_size=32, recipe="cifar10")
SHIFTED = replace(PLAIN, augmentation="live")
TURNED = replace(SHIFTED, recipe="cifar10_ensemble")


TASK = Task(
    name="cifar10",
    title="CIFAR-10: batch normalization, an ensemble, or a deeper network?",
    source="deep-learning report, MiniVGGNet, ensemble methods, MiniGoogLeNet and ResNet",
    dataset=Cifar10(),
    arms=(
        arm("minivggnet", "MiniVGGNet", spaces.MINIVGGNET, PLAIN, max_epochs=40),
        arm(
            "minivggnet_plain", "MiniVGGNet without Batch Normalization", spaces.PLAIN_MINIVGGNET, PLAIN, max_epochs=40
        ),
        arm(
            "minivggnet_augmented",
            "MiniVGGNet, Augmented",
            spaces.ENSEMBLE_MEMBER,
            TURNED,
            max_epochs=40,
            ensemble=True,
        ),
        arm("minigooglenet", "MiniGoogLeNet", spaces.MINIGOOGLENET, SHIFTED, max_epochs=70),
        arm("resnet", "ResNet", spaces.RESNET, SHIFTED, max_epochs=100),
    ),
    more_arms=(
        *(
            arm(f"minigooglenet_exp{number}", f"MiniGoogLeNet, Experiment {number}", space, SHIFTED, max_epochs=70)
            for number, space in enumerate(spaces.EXPERIMENTS, start=1)
        ),
        *(
            arm(f"resnet_v{number}", f"ResNet, Version {number}", space, SHIFTED, max_epochs=100)
            for number, space in enumerate(spaces.VERSIONS, start=3)
        ),
    ),
    tables=(*averages(), table("logs", "The best epoch of each by validation", "max_val_accuracy", "min_val_loss")),
    sample=Sample(
        dataset=sample_pictures("cifar10-sample", DISHES[:3], Counts(train=80, val=20, test=30), side=40, seed=22),
        views=InputConfig(image_size=32, fit="shorter_side"),
        epochs=6,
        trials=2,
        confirm_seeds=2,
        # Small batches: batch normalization's moving averages need some 100 steps.
        fixed={"batch_size": 8, "stages": "1-1-1", "filters": "16-16-32-64"},
        notes={"stages": "one unit a stage"},
    ),
)
