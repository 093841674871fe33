"""deep-learning report, multi-class network: does a network with hand-written back-propagation keep up with LeNet?

The report ran Iris, four measurements of 150 flowers, and prints no figure. Here the same network, 25-25 hidden units
trained by AdaGrad without a framework, reads the 1,797 handwritten digits that come with scikit-learn.

    python cli.py tune digits
    python cli.py tune digits --arms numpy_network --configs published     # the report's own settings
    python cli.py tune digits --sample                                     # the same digits, less effort
"""

from datasets.input_config import InputConfig
from datasets.sources.digits import Digits
from search_spaces import digits, mnist
from tasks.task import Sample, Task, arm, averages

DATASET = Digits()
SMALL, LARGE = InputConfig(image_size=8, fit="stretch"), InputConfig(image_size=28, fit="stretch")

TASK = Task(
    name="digits",
    title="Digits: does hand-written back-propagation keep up?",
    source="deep-learning report, 2020-10-10-multiclassification, on digits in place of Iris",
    dataset=DATASET,
    arms=(
        arm(
            *("numpy_network", "Hand-written Network", digits.NUMPY_NETWORK, SMALL),
            max_epochs=75,  # 10,050 steps of 8 digits; 1,000 epochs of Iris are 10,000
            learner="numpy_learner",
            model="numpy_network",
        ),
        arm("lenet", "LeNet", mnist.LENET, LARGE, max_epochs=20),
    ),
    tables=averages(),
    sample=Sample(dataset=DATASET, views={"numpy_network": SMALL, "lenet": LARGE}, epochs=12, trials=4),
)
