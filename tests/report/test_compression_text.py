# SPDX-License-Identifier: Apache-2.0
import csv
import dataclasses

import pytest

from tflite_opt.records import compression, training
from tflite_opt.report import build, compression_text, csv_text, write

_PROMISES = (
    compression.Promise(layer="a", weight="kernel", min_zero_fraction=0.5),
    compression.Promise(layer="b", weight="kernel", min_zero_fraction=0.5),
)
_CLUSTERS = compression.Promise(
    layer="a", weight="kernel", max_unique_values=16
)


def _kept(promise, zero_fraction, where="tflite", num_elements=100):
    return compression.KeptPromise(
        promise=promise,
        where=where,
        dtype="int8",
        num_elements=num_elements,
        zero_fraction=zero_fraction,
        unique_values=40,
        channel_unique_values=15,
    )


def _history():
    return training.TrainingHistory(
        options=training.TrainingOptions(),
        loss=(0.3, 0.2),
        accuracy=(0.9, 0.91),
        validation_loss=(0.3, 0.3),
        validation_accuracy=(0.875, 0.86),
        kept_epoch=1,
        steps=20,
        num_train=100,
        num_validation=50,
        seconds=12.3,
    )


def _step(name, promises, **fields):
    return compression.CompressionStep(
        technique={"technique": name},
        gives=None,
        promises=promises,
        seconds=20.0,
        **{"kept": (), "histories": (), "notes": ()} | fields,
    )


@pytest.fixture
def content(finished_run):
    found = build.build(finished_run)
    pruning = _step(
        "pruning",
        _PROMISES,
        kept=tuple(_kept(x, 0.5, where="keras") for x in _PROMISES),
        histories=(_history(),),
        notes=("Two layers.",),
    )
    row = dataclasses.replace(
        found.rows[-1],
        name="small",
        steps=(pruning, _step("clustering", (_CLUSTERS,))),
        kept=(
            _kept(_PROMISES[0], 0.5),
            _kept(_PROMISES[1], 0.7, num_elements=300),
            _kept(_CLUSTERS, 0.5),
        ),
        keras_agreement=0.995,
        sparse_encoded_bytes=12_345,
    )
    return dataclasses.replace(
        found, rows=(found.rows[0], row), recommendation=None
    )


def test_each_step_has_its_line(content):
    lines = compression_text.markdown(content.rows)
    _, _, first, second = lines[0].splitlines()
    cells = [cell.strip() for cell in first.split("|")[1:-1]]
    # The zeros of both layers, by their sizes.
    assert cells == [
        *("small", "pruning", "2", "2 epochs, 12 s, validation 87.50%"),
        *("50.0%", "65.0%", "about 12,345", "-", "99.5%"),
    ]
    cells = [cell.strip() for cell in second.split("|")[1:-1]]
    assert cells == [
        *("small", "clustering", "1", "-", "-", "-"),
        *("about 12,345", "at most 15", "99.5%"),
    ]
    assert lines[1:] == ["", "- small, pruning: Two layers."]


def test_the_report_has_it_where_something_was_trained(content, finished_run):
    assert "## Compression by training" in write.to_markdown(content)
    plain = build.build(finished_run)
    assert "Compression by training" not in write.to_markdown(plain)


def test_csv_has_the_zeros(content):
    plain, small = csv.DictReader(csv_text.to_csv(content).splitlines())
    names = ("steps", "promised_zero_fraction", "keras_agreement")
    assert [plain[name] for name in names] == ["", "", ""]
    assert [small[name] for name in names] == [
        "pruning clustering",
        "0.65",
        "0.995",
    ]
