# SPDX-License-Identifier: Apache-2.0
import importlib.util

import pytest

from tflite_opt.evaluation.metrics import base
from tflite_opt.records import errors


@pytest.mark.parametrize(
    ("metric", "package"), [("bleu", "sacrebleu"), ("coco_map", "pycocotools")]
)
def test_a_missing_package_is_named_with_how_to_get_it(
    monkeypatch, metric, package
):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(errors.InputError) as caught:
        base.named(metric)
    assert f"The metric {metric} needs" in str(caught.value)
    assert f"`pip install {package}`" in str(caught.value)
