# SPDX-License-Identifier: Apache-2.0
"""Golden vectors: what a file must give for known inputs, and whether it did.

`Golden` is the text inside a golden file; the arrays are beside it.
"""

import dataclasses
import pathlib

from tflite_opt.records import benchmark, errors, facts, serialization

_SUFFIX = ".golden.npz"


def path_beside(model: pathlib.Path) -> pathlib.Path:
    """Returns where the golden vectors of a `.tflite` belong."""
    return model.with_suffix(_SUFFIX)


@dataclasses.dataclass(frozen=True, kw_only=True)
class GoldenInput(serialization.Record):
    """One input.

    Attributes:
        spec: Name, shape, dtype, scale and zero point in the artifact. The
            stored array is as the app has it, before quantization.
        position: Among the file's inputs, for apps that feed by index.
    """

    spec: facts.TensorSpec
    position: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class GoldenOutput(serialization.Record):
    """One output, and how far a replay may be from the original model.

    Attributes:
        spec: Name, shape, dtype, scale and zero point in the artifact. The
            stored array is the original model's, never quantized.
        position: Among the file's outputs.
        tolerance: Largest absolute difference for each example, after
            dequantization: what the artifact itself showed when the file was
            written, plus `margin`.
        margin: What another device may add.
        derivation: How tolerance and margin came about, for people.
    """

    spec: facts.TensorSpec
    position: int
    tolerance: tuple[float, ...]
    margin: float
    derivation: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Golden(serialization.Record):
    """What a golden file says about its arrays.

    Attributes:
        signature_key: None for a file without a signature or with several,
            whose names are those of tensors.
        inputs: In the order of the signature; without one, of the file.
        outputs: Likewise.
        num_examples: First dimension of all arrays.
        preprocessing: What was done to the data before they became the stored
            inputs.
        artifact_sha256: Of the `.tflite` the tolerances were measured on.
        original_sha256: Of the model the expected outputs are from.
    """

    signature_key: str | None
    inputs: tuple[GoldenInput, ...]
    outputs: tuple[GoldenOutput, ...]
    num_examples: int
    preprocessing: str
    artifact_sha256: str
    original_sha256: str

    def __post_init__(self) -> None:
        """Checks that each example has its tolerance.

        Raises:
            InputError: If one has none, or there is no example or output.
        """
        super().__post_init__()
        lengths = {len(output.tolerance) for output in self.outputs}
        if lengths != {self.num_examples} or self.num_examples < 1:
            raise errors.InputError(
                "Golden vectors must have a tolerance for each example of "
                f"each output. Received: num_examples={self.num_examples}, "
                f"tolerances={sorted(lengths)}"
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class OutputReplay(serialization.Record):
    """One output of a replay against the original model.

    Attributes:
        name: Of the output.
        max_absolute_difference: Over all examples; the largest float32 stands
            for a difference to infinity or NaN.
        min_tolerance: That of the example with the smallest one.
        max_tolerance: That of the example with the largest one.
        examples_within: How many are within their tolerance.
        cosine_similarity: Over all values; None if one side is all zero or
            not finite.
        top1_agreement: Fraction of equal largest scores; None for an output
            that is no class scores.
    """

    name: str
    max_absolute_difference: float
    min_tolerance: float
    max_tolerance: float
    examples_within: int
    cosine_similarity: float | None
    top1_agreement: float | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class GoldenResult(serialization.Record):
    """One file, replayed with one delegate.

    Attributes:
        model: The file.
        sha256: Of it.
        is_own: Whether the golden vectors were written for this very file.
        delegate: `xnnpack`, `none` for the builtin kernels, or one of a
            device.
        num_examples: How many were replayed.
        outputs: In the order of the golden file.
    """

    model: pathlib.Path
    sha256: str
    is_own: bool
    delegate: benchmark.ToolDelegate
    num_examples: int
    outputs: tuple[OutputReplay, ...]

    @property
    def ok(self) -> bool:
        """Whether every example of every output is within its tolerance."""
        return all(
            output.examples_within == self.num_examples
            for output in self.outputs
        )
