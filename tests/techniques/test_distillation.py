# SPDX-License-Identifier: Apache-2.0
import json
import re

import pytest

from tests.keras_models import tiny
from tests.techniques import fine_tuned
from tflite_opt import recipe
from tflite_opt.records import errors, training
from tflite_opt.techniques import base, distillation


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"distillation": None}, "A student needs `distillation`."),
        (
            {"width_multiplier": 50.0},
            "`width_multiplier` must be in (0, 1]. "
            "Received: width_multiplier=50.0",
        ),
        (
            {"width_multiplier": 0.5, "student": "ds_cnn"},
            "`width_multiplier` is for the model's own architecture.",
        ),
        (
            {"student_options": {"alpha": 0.5}},
            "`student_options` are for a `student`.",
        ),
        (
            {"preserve": ("sparsity",)},
            "distillation can preserve nothing. Received: preserve=sparsity.",
        ),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_rejects_fields_that_contradict(fields, message):
    with pytest.raises(errors.InputError, match=re.escape(message)):
        distillation.Distillation(**fields)


def test_recipes_say_how_to_distill_without_headers():
    technique = base.from_recipe(
        {
            "technique": "distillation",
            "distillation": {"temperature": 2.0, "features": {"a": "b"}},
        }
    )
    assert technique.distillation == training.Distillation(
        temperature=2.0, features={"a": "b"}
    )
    content = json.loads(json.dumps(technique.to_recipe()))
    assert content["distillation"] == {
        "temperature": 2.0,
        "weight": 0.5,
        "features": {"a": "b"},
        "feature_weight": 1.0,
    }
    assert base.from_recipe(content) == technique
    with pytest.raises(errors.InputError, match=r"unknown=\['alpha'\]"):
        base.from_recipe(
            {"technique": "distillation", "distillation": {"alpha": 1}}
        )


def test_the_preset_trains_a_student_of_half_the_width():
    found = recipe.presets()["distill_int8"]
    assert found.compress == (distillation.Distillation(width_multiplier=0.5),)
    assert found.compress[0].describe() == "distillation(width_multiplier=0.5)"


@pytest.mark.tensorflow
def test_a_narrower_student_learns_from_the_model():
    teacher = fine_tuned.trained()
    found, _ = fine_tuned.apply(
        distillation.Distillation(
            epochs=10,
            learning_rate=0.02,
            width_multiplier=0.5,
            distillation=training.Distillation(weight=0.8),
        ),
        fine_tuned.trained(),
        teacher=teacher,
        distillation=training.Distillation(weight=0.8),
    )
    assert found.model.get_layer("conv").kernel.shape == (3, 3, 1, 2)
    assert found.model.output_shape == (None, 3)
    assert found.histories[0].options.epochs == 10
    assert max(found.histories[0].validation_accuracy) > 0.8
    assert found.notes == ("The student has 55 parameters, its teacher 107.",)


@pytest.mark.tensorflow
def test_a_teacher_with_other_classes_is_refused():
    with pytest.raises(
        errors.InputError, match="must have the student's classes"
    ):
        fine_tuned.apply(
            distillation.Distillation(),
            tiny.classifier(),
            teacher=tiny.classifier(num_classes=4),
            distillation=training.Distillation(),
        )
