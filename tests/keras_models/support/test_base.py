# SPDX-License-Identifier: Apache-2.0
import pytest

from tests.keras_models import kinds
from tflite_opt.keras_models import layer_support
from tflite_opt.keras_models.support import base
from tflite_opt.records import preflight


@pytest.mark.tensorflow
def test_a_technique_is_in_the_table_by_having_a_class(monkeypatch):
    monkeypatch.setattr(base, "_REGISTRY", {})

    class Freezing(base.Support):
        technique = "freezing"

        def examine(self, model, layers):
            verdict = preflight.Verdict(status="applies")
            return base.Findings(dict.fromkeys(layers, verdict))

    found = layer_support.examine(kinds.build("conv_bn"))
    assert found.techniques == (Freezing.technique,)
    assert len(found.with_status("freezing", "applies")) == 3


def test_a_message_ends_as_one_sentence():
    assert base.first_line(ValueError("First.\nSecond.")) == "First."
    assert base.first_line(KeyError()) == "KeyError."
