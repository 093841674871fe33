"""Your own images: from scratch or fine-tuned?

python cli.py tune images --data DIR                       # a sub-folder a class, or train/, val/, test/ of them
python cli.py tune images --data labels.csv --group-by patient
python cli.py tune images --data DIR --backbone EfficientNetB0 --gpus 2
python cli.py tune images --data DIR --folds 5             # few images: validated on all but the test split's
python cli.py tune images --sample                         # generated pictures: what it looks like
"""

from dataclasses import replace

from datasets.custom.custom_images import OwnImages, find
from datasets.dataset import Counts
from datasets.input_config import InputConfig
from search_spaces import images
from tasks.task import DISHES, Sample, Task, arm, sample_pictures, table

VIEW = InputConfig(image_size=224, fit="shorter_side", augmentation="live", recipe="photographs")

TASK = Task(
    name="images",
    title="Your own images: from scratch or fine-tuned?",
    source="your own question",
    dataset=OwnImages(),
    find_dataset=find,
    arms=(
        arm(
            "from_scratch",
            "From Scratch",
            images.FROM_SCRATCH,
            replace(VIEW, image_size=128),
            max_epochs=60,
            model="residual",
        ),
        arm("fine_tuned", "Fine-Tuned", images.FINE_TUNED, VIEW, max_epochs=30, model="fine_tuned"),
    ),
    tables=(
        table(
            *("test", "Best of each arm, tested", "test_accuracy"),
            test_balanced_accuracy="Balanced Accuracy",
            test_macro_f1="Macro F1",
            test_loss="Test Loss",
            val_accuracy="Validation Accuracy",
        ),
    ),
    sample=Sample(
        dataset=sample_pictures("images-sample", DISHES[:4], Counts(train=40, val=15, test=20), side=96, seed=11),
        views={
            name: InputConfig(image_size=side, fit="shorter_side")
            for name, side in (("from_scratch", 56), ("fine_tuned", 80))
        },
        epochs=6,
    ),
)
