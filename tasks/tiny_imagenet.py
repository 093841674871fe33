"""The deep-learning report on tiny-imagenet-200: DeeperGoogLeNet with SGD or Adam, and a shallower ResNet.

Published (deep-learning report, its logs): validation accuracy 0.54848 with Adam, where SGD had no luck; ResNet
0.5546875.

    python cli.py tune tiny_imagenet --gpus 2
    python cli.py tune tiny_imagenet --arms resnet_v3,resnet_v4 --configs published --gpus 2
    python cli.py tune tiny_imagenet --sample                       # generated pictures, no network
"""

from datasets.dataset import Counts
from datasets.input_config import InputConfig
from datasets.sources.tiny_imagenet import TinyImageNet
from search_spaces import tiny_imagenet as spaces
from tasks.task import DISHES, Sample, Task, arm, averages, sample_pictures, table

VIEW = InputConfig(image_size=64, augmentation="live", recipe="tiny_imagenet")


TASK = Task(
    name="tiny_imagenet",
    title="Tiny ImageNet: SGD or Adam, and does a ResNet go further?",
    source="deep-learning report, DeeperGoogLeNet and ResNet",
    dataset=TinyImageNet(),
    arms=(
        arm("deepergooglenet_sgd", "DeeperGoogLeNet, SGD", spaces.deepergooglenet("sgd"), VIEW, max_epochs=75),
        arm("deepergooglenet_adam", "DeeperGoogLeNet, Adam", spaces.deepergooglenet("adam"), VIEW, max_epochs=75),
        arm("resnet", "ResNet", spaces.RESNET, VIEW, max_epochs=75),
    ),
    more_arms=(
        arm("resnet_v3", "ResNet, Version 3", spaces.VERSIONS[0], VIEW, max_epochs=47),
        arm("resnet_v4", "ResNet, Version 4", spaces.VERSIONS[1], VIEW, max_epochs=75),
    ),
    tables=(
        table("logs", "The best epoch of each by validation", "max_val_accuracy", "min_val_loss"),
        *averages(),
        table("ranks", "Ranked accuracy", test_accuracy="Rank-1", test_top5_accuracy="Rank-5"),
    ),
    sample=Sample(
        dataset=sample_pictures("tiny_imagenet-sample", DISHES, Counts(train=24, val=10, test=12), side=80, seed=24),
        views=InputConfig(image_size=32, fit="shorter_side"),
        epochs=6,
        trials=2,
        # Small batches: batch normalization's moving averages need some 100 steps.
        fixed={"batch_size": 8, "stages": "1-1-1", "filters": "16-32-64-128"},
        notes={"stages": "one unit a stage"},
    ),
)
