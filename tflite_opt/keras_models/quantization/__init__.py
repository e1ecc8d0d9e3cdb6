# SPDX-License-Identifier: Apache-2.0
"""Fake quantization: a model that rounds where its `.tflite` will round.

Wrappers and range quantizers are TF-MOT's; which layers get which is decided
here, because TF-MOT's own passes refuse most models.
"""
