"""Training of one configuration: models, learners, features, the Ray trainable."""

import os

# Before anything here imports Keras: a user's ~/.keras/keras.json may name another backend, and the models saved and
# the loops written here are TensorFlow's. Ray's workers import this package too, whatever their environment says.
os.environ["KERAS_BACKEND"] = "tensorflow"
# TensorFlow's start-up lines (CPU features, CUDA not found) would appear once for every worker; 2 leaves errors.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
