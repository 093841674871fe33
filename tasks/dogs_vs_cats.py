"""Cats and dogs: EfficientNet with SGD or Adam; AlexNet and features of ResNet50.

Sources: dogs-vs-cats report, deep-learning report.

Published (dogs-vs-cats report, results): best validation accuracy 0.9550 with SGD, 0.9725 with Adam; in its text
94.65 % and 95.90 %, which are whole numbers of its 4,000 test images. The deep-learning report: 0.99 by logistic
regression on ResNet50's features; for AlexNet, which it tests on ten crops of each image too, no figure.

    python cli.py tune dogs_vs_cats --gpus 2
    python cli.py tune dogs_vs_cats --configs published      # the report's own settings
    python cli.py tune dogs_vs_cats --arms alexnet,resnet50_features --gpus 2       # deep-learning report
    python cli.py tune dogs_vs_cats --sample                 # minutes on two cores, no network
"""

from datasets.dataset import Counts
from datasets.input_config import InputConfig
from datasets.sources.dogs_vs_cats import DogsVsCats
from search_spaces import dogs_vs_cats
from tasks.task import Sample, Task, arm, averages, features_arm, sample_pictures, table

# An epoch is 90 training and 20 validation steps of 20 images (dogs-vs-cats report, settings).
VIEW = InputConfig(
    image_size=224, fit="stretch", augmentation="live", recipe="dogs_vs_cats", epoch_images=1800, check_images=400
)
SMALL = InputConfig(image_size=64, fit="stretch", epoch_images=60, check_images=40)
CROPPED, PLAIN = InputConfig(image_size=64, fit="shorter_side", crops=10), InputConfig(image_size=64, fit="stretch")


TASK = Task(
    name="dogs_vs_cats",
    title="Dogs or cats: SGD or Adam?",
    source="dogs-vs-cats report, settings and results; deep-learning report, 2020-11-23-dogs-vs-cats",
    dataset=DogsVsCats(counts=Counts(train=8500, val=2000, test=2000)),
    arms=tuple(
        arm(name, label, dogs_vs_cats.of_optimizer(name), VIEW, max_epochs=250, model="fine_tuned")
        for name, label in (("sgd", "SGD"), ("adam", "Adam"))
    ),
    more_arms=(
        arm(
            "alexnet",
            "AlexNet",
            dogs_vs_cats.ALEXNET,
            InputConfig(image_size=227, fit="shorter_side", augmentation="live", recipe="alexnet", crops=10),
            max_epochs=75,
        ),
        features_arm(
            "resnet50_features",
            "ResNet50 Features",
            dogs_vs_cats.RESNET50_FEATURES,
            max_epochs=250,  # of 20 iterations each: the report allows 5,000
        ),
    ),
    tables=(
        table(
            *("optimizers", "Training and validation with each optimizer"),
            label="Optimizer",
            max_train_accuracy="Max train accuracy",
            min_train_loss="Min train loss",
            max_val_accuracy="Max validation accuracy",
            min_val_loss="Min validation loss",
        ),
        table("tested", "Tested", label="Optimizer", test_accuracy="Test accuracy", test_loss="Test loss"),
        *averages(test_ten_crop_accuracy="Ten Crops"),
    ),
    sample=Sample(
        dataset=sample_pictures(
            "dogs_vs_cats-sample", ("dumplings", "churros"), Counts(train=60, val=30, test=40), side=96, seed=12
        ),
        views={"sgd": SMALL, "adam": SMALL, "alexnet": CROPPED, "resnet50_features": PLAIN},
        epochs=6,
        fixed={"batch_size": 20},  # the optimizers' own; AlexNet's 128 would be all its images
    ),
)
