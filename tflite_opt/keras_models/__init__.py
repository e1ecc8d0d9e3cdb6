# SPDX-License-Identifier: Apache-2.0
"""Keras models: built, loaded, trained and frozen.

Keras is always `tf_keras`, by that name; `tf.keras` is whichever Keras was
imported first. Modules import TensorFlow inside functions only.
"""

import os

# TensorFlow reads this when it is imported. Without it, code that still says
# `tf.keras` (TF-MOT's, for one) gets Keras 3, whose layers tf_keras rejects.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
# Read when Keras 3 is imported. Only on TensorFlow can its models be converted,
# whatever the user trains them on.
os.environ["KERAS_BACKEND"] = "tensorflow"
