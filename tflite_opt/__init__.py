# SPDX-License-Identifier: Apache-2.0
"""Keras models to verified, measured `.tflite` variants."""

__version__ = "0.1.0"
