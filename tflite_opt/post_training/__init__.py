# SPDX-License-Identifier: Apache-2.0
"""Quantized `.tflite` files made more accurate without training.

Looks at float `.tflite` files and what a quantizer made of them, operation
after operation; knows nothing of Keras, recipes or reports.
"""
