# SPDX-License-Identifier: Apache-2.0
"""Each family of reference models goes through the whole of `optimize`.

Training and conversion happen in this process, which imports TensorFlow once.
"""

import numpy as np
import pytest

from tests import in_process
from tflite_opt import pipeline, recipe
from tflite_opt.data import dataset
from tflite_opt.evaluation import evaluate
from tflite_opt.keras_models import reference, source
from tflite_opt.records import benchmark, run_directory, training, variants

pytestmark = pytest.mark.tensorflow

_BRIEF = (300, training.TrainingOptions(epochs=2))
_NARROW = {"width_multiplier": 0.25}
# Until a Transformer has learned the order of words, the scores of two classes
# are too close for two sets of kernels to rank them alike.
_LONGER = (0, training.TrainingOptions(epochs=3, learning_rate=5e-3))
# How it is trained, operations that the float file must have, and what it is
# judged by.
_FAMILIES = {
    "mobilenet_v3_small": (_BRIEF, {"HARD_SWISH"}, "top1"),
    "efficientnet_lite0": (_BRIEF, {"DEPTHWISE_CONV_2D"}, "top1"),
    "cnn_1d": (_BRIEF, {"CONV_2D"}, "top1"),
    "lstm": (_BRIEF, {"UNIDIRECTIONAL_SEQUENCE_LSTM"}, "top1"),
    "gru": (_BRIEF, {"FULLY_CONNECTED", "TANH"}, "top1"),
    "transformer_encoder": (_LONGER, {"GATHER", "BATCH_MATMUL"}, "top1"),
    "autoencoder": (_BRIEF, {"FULLY_CONNECTED"}, "reconstruction"),
    "graph_network": (_BRIEF, {"BATCH_MATMUL"}, "top1"),
}


_DEEP = ("mobilenet_v3_small", "efficientnet_lite0")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(x, marks=[pytest.mark.slow] if x in _DEEP else [])
        for x in _FAMILIES
    ],
)
def test_a_family_is_optimized(tmp_path, monkeypatch, name):
    (limit, options), operations, metric = _FAMILIES[name]
    in_process.children(monkeypatch, tmp_path)
    run = run_directory.RunDirectory.create(tmp_path / "run", command="test")
    content, _ = pipeline.optimize(
        pipeline.Request(
            model=source.Choice(
                model=name,
                model_options=_NARROW if "net_" in name else {},
            ),
            data=dataset.DataSpec(
                source=reference.default_dataset(name),
                limit=limit,
                num_calibration=100,
            ),
            recipes=recipe.parse_names(["int8"]),
            training=options,
            evaluation=evaluate.Options(),
            runtime=benchmark.RuntimeOptions(
                launches=2,
                warmup_runs=1,
                warmup_min_secs=0.0,
                num_runs=5,
                min_secs=0.0,
            ),
        ),
        run,
    )
    assert not content.failures
    float32, int8 = content.rows
    for row in content.rows:
        assert row.metric.name == metric
        assert row.metric.low <= row.metric.value <= row.metric.high
        assert row.median_ms > 0
    if metric == "top1":
        _check_accuracy(run, int8)
    assert float32.agreement.max_absolute_difference < 1e-4
    assert int8.quantized_weight_fraction == 1
    variant = variants.Variant.load(
        run.path("artifacts", "float32.json"), run.root
    )
    assert operations <= set(variant.facts.operator_counts)


def _check_accuracy(run, row):
    """Counts the accuracy again from what was predicted."""
    path = run.path("evaluations", f"{row.name}.test.npz")
    with np.load(path) as arrays:
        correct = arrays["predictions"] == arrays["labels"]
    assert row.metric.value == pytest.approx(correct.mean())
