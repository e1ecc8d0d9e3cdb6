# SPDX-License-Identifier: Apache-2.0
"""Asks the table about single layers."""

from tests.keras_models import kinds
from tflite_opt.keras_models.support import base


def verdict(support, kind, name):
    """Returns what a technique does to one layer of a kind of model."""
    model = kinds.build(kind)
    return support.examine(model, base.own_layers(model)).verdicts[name]
