# SPDX-License-Identifier: Apache-2.0
"""The stage that says how well a `.tflite` predicts. No TensorFlow."""
