# SPDX-License-Identifier: Apache-2.0
import re

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from tests.tflite import handmade
from tflite_opt.records import errors
from tflite_opt.tflite import slimming_check


def _verify(before, after, tmp_path, inputs=None):
    paths = tmp_path / "before.tflite", tmp_path / "after.tflite"
    for path, builder in zip(paths, (before, after), strict=True):
        builder.save(path)
    return slimming_check.verify_slimming(*paths, inputs)


def _changed(change):
    builder = handmade.dense()
    builder.metadata("TFLITE_METADATA", b"content")
    builder.signature("classify", {"x": 0}, {"y": 3})
    change(builder.model)
    return builder


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda m: setattr(m, "description", "other"), "description"),
        (
            lambda m: setattr(m.signatureDefs[0], "signatureKey", "other"),
            "signatures",
        ),
        (lambda m: setattr(m.metadata[0], "name", "other"), "metadata"),
        (
            lambda m: setattr(m.operatorCodes[0], "version", 2),
            "operations",
        ),
        (lambda m: setattr(m.subgraphs[0].tensors[0], "name", None), "names"),
        (
            lambda m: setattr(m.buffers[1], "data", np.ones(48, np.uint8)),
            "tensor 1 of graph 0",
        ),
        (
            lambda m: setattr(
                m.subgraphs[0].operators[0].builtinOptions,
                "fusedActivationFunction",
                1,
            ),
            "any field",
        ),
    ],
    ids=[
        "description",
        "signature",
        "metadata",
        "version",
        "name",
        "weights",
        "option",
    ],
)
def test_verification_finds_what_differs(tmp_path, change, what):
    with pytest.raises(errors.VerificationError, match=what):
        _verify(_changed(lambda m: None), _changed(change), tmp_path)


def test_verification_compares_outputs(tmp_path, monkeypatch):
    """Were the comparison of fields wrong, the results would tell."""

    def no_bias(model):
        model.buffers[2].data = np.zeros(12, np.uint8)

    def relu(model):
        no_bias(model)
        options = model.subgraphs[0].operators[0].builtinOptions
        options.fusedActivationFunction = 1

    monkeypatch.setattr(slimming_check, "_everything", lambda *_: None)
    models = _changed(no_bias), _changed(relu)
    for inputs in (None, {"x": np.full((3, 4), -100, np.float32)}):
        with pytest.raises(errors.VerificationError, match="outputs of"):
            _verify(*models, tmp_path, inputs)
    same = {"x": np.array([[0, 2, 1, 4]], np.float32)}
    check = _verify(*models, tmp_path, same)
    assert check.compared == ("XNNPACK", "builtin")


def test_verification_refuses_inputs_that_do_not_fit(tmp_path):
    builder = handmade.dense()
    inputs = {"image": np.zeros((3, 4), np.float32)}
    with pytest.raises(errors.DataError, match=re.escape("['image']")):
        _verify(builder, builder, tmp_path, inputs)


def test_random_results_are_not_compared(tmp_path):
    builder = handmade.Builder()
    shape = builder.tensor((1,), "int32", values=np.array([8], np.int32))
    noise = builder.tensor((8,), name="noise")
    builder.operator(
        "RANDOM_UNIFORM", (shape,), (noise,), options=schema.RandomOptionsT()
    )
    builder.ends((), (noise,))
    check = _verify(builder, builder, tmp_path)
    assert check.compared == ()
    assert check.skipped[0] == "XNNPACK skipped (its results are random)"


def test_a_crash_of_the_original_is_survived(tmp_path, monkeypatch):
    script = tmp_path / "child.sh"
    script.write_text("#!/bin/sh\nkill -SEGV $$\n")
    script.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(script))
    builder = handmade.dense()
    check = _verify(builder, builder, tmp_path)
    assert check.compared == ()
    assert check.skipped[0] == (
        "XNNPACK skipped (its process crashed with signal 11)"
    )


def test_a_crash_of_the_slimmed_file_alone_is_an_error(tmp_path, monkeypatch):
    good = '{"outputs": "", "partitions": 1}'
    script = tmp_path / "child.sh"
    # The last argument is where results go.
    script.write_text(
        "#!/bin/bash\n"
        f"for fd; do :; done; case \"$7\" in *:0) echo '{good}' >&$fd;; esac\n"
        "kill -SEGV $$\n"
    )
    script.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(script))
    builder = handmade.dense()
    with pytest.raises(errors.VerificationError, match="signal 11"):
        _verify(builder, builder, tmp_path)
