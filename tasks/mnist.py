"""deep-learning report, LeNet: handwritten digits by two convolutions. The report prints no figure.

python cli.py tune mnist
python cli.py tune mnist --configs published
python cli.py tune mnist --data DIR        # MNIST's four files, or Fashion-MNIST's
python cli.py tune mnist --sample          # scikit-learn's digits, no network
"""

from datasets.input_config import InputConfig
from datasets.sources.digits import Digits
from datasets.sources.mnist import Mnist
from search_spaces import mnist
from tasks.task import Sample, Task, arm, averages

VIEW = InputConfig(image_size=28, fit="stretch")

TASK = Task(
    name="mnist",
    title="MNIST: how far does LeNet come?",
    source="deep-learning report, 2020-11-11-LeNet-implementation",
    dataset=Mnist(),
    arms=(arm("lenet", "LeNet", mnist.LENET, VIEW, max_epochs=20),),
    tables=averages(),
    sample=Sample(dataset=Digits(), views=VIEW, epochs=12, trials=6),
)
