# SPDX-License-Identifier: Apache-2.0
"""Each family of reference models: trained, converted, quantized, the same.

Everything runs in this process, which imports TensorFlow once.
"""

import json
import os

import numpy as np
import pytest

from tflite_opt import recipe
from tflite_opt.conversion import job as job_lib
from tflite_opt.conversion import worker
from tflite_opt.data import dataset, representative, sources
from tflite_opt.keras_models import reference, train_reference
from tflite_opt.records import training, variants
from tflite_opt.tflite import interpreter

pytestmark = pytest.mark.tensorflow

_NARROW = {"width_multiplier": 0.25}
# Options of `build`, and operations that the float file must have.
_FAMILIES = {
    "mobilenet_v3_small": (_NARROW, {"HARD_SWISH", "DEPTHWISE_CONV_2D"}),
    "efficientnet_lite0": (_NARROW, {"DEPTHWISE_CONV_2D", "ADD"}),
    "cnn_1d": ({}, {"CONV_2D"}),
    "lstm": ({}, {"UNIDIRECTIONAL_SEQUENCE_LSTM"}),
    "gru": ({"units": 16}, {"FULLY_CONNECTED", "TANH"}),
    "transformer_encoder": ({"width": 32}, {"GATHER", "BATCH_MATMUL"}),
    "autoencoder": ({}, {"FULLY_CONNECTED"}),
    "graph_network": ({}, {"BATCH_MATMUL"}),
}
_BRIEF = (300, training.TrainingOptions(epochs=2))
# Until a Transformer has learned the order of words, the scores of two classes
# are too close for two sets of kernels to rank them alike.
_LONGER = {
    "transformer_encoder": (
        0,
        training.TrainingOptions(epochs=4, learning_rate=5e-3),
    )
}


@pytest.mark.parametrize("name", _FAMILIES)
def test_a_family_trains_and_quantizes(tmp_path, name):
    model_options, operations = _FAMILIES[name]
    limit, options = _LONGER.get(name, _BRIEF)
    spec = dataset.DataSpec(
        source=reference.default_dataset(name), limit=limit, num_calibration=50
    )
    trained = train_reference.train(
        train_reference.Request(
            model=name,
            model_options=model_options,
            data=spec,
            options=options,
            path=tmp_path / "model.h5",
        )
    )
    assert trained.history.loss[-1] < trained.history.loss[0]
    found = _convert(trained.artifact.path, spec, tmp_path, "float32", "int8")
    assert operations <= set(found["float32"].facts.operator_counts)
    assert found["int8"].facts.quantized_weight_fraction == 1
    inputs = sources.load(spec)["test"].inputs
    exact, quantized = (_outputs(item, inputs) for item in found.values())
    noise = np.square(quantized - exact).mean() / np.square(exact).mean()
    assert noise < 0.01


def _convert(model, spec, root, *names):
    """Returns the variants by name; none may fail."""
    layout = job_lib.Layout(root=root)
    job_lib.Job(
        model=model,
        layout=layout,
        data=spec,
        freeze=True,
        reference_splits=("test",),
        recipes=tuple(r.to_json() for r in recipe.parse_names(names)),
    ).save(root / "job.json")
    events = os.open(root / "events", os.O_WRONLY | os.O_CREAT)
    worker.main([str(root / "job.json"), str(events)])
    lines = (root / "events").read_text().splitlines()
    assert not [line for line in lines if "message" in json.loads(line)]
    return {
        name: variants.Variant.load(layout.variant(name), root)
        for name in names
    }


def _outputs(variant, inputs):
    path = variant.artifact.path
    specs = interpreter.load(path).inputs
    (outputs,) = interpreter.predict(
        path, representative.match_inputs(inputs, specs)
    ).values()
    return outputs
