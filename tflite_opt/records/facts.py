# SPDX-License-Identifier: Apache-2.0
"""What a `.tflite` file says about itself."""

import dataclasses
from typing import Literal

from tflite_opt.records import delegation as delegation_record
from tflite_opt.records import serialization, weight_values

TensorRole = Literal[
    "input", "output", "activation", "weight", "bias", "constant"
]

FLOAT_DTYPES = frozenset({"float16", "bfloat16", "float32", "float64"})
INTEGER_WEIGHT_DTYPES = frozenset({"int8", "uint8", "int4", "uint4", "int2"})

# How far XNNPACK and the builtin kernels may be apart.
MAX_QUANTA = 2
MAX_RELATIVE_DIFFERENCE = 1e-4
MIN_TOP1_AGREEMENT = 0.995
MAX_NOISE_FRACTION = 0.02
# Each of two scores may be 2 quanta off, so a lead of up to twice as many may
# be lost to rounding. Of the range of all scores, which 8 bits cut into 255.
MAX_TIE_FRACTION = 2 * MAX_QUANTA / 255


@dataclasses.dataclass(frozen=True, kw_only=True)
class TensorSpec(serialization.Record):
    """One input or output of a signature (or of the main subgraph).

    Attributes:
        name: Its name in the signature; the tensor's name without one.
        shape: As stored; -1 marks a dimension the file leaves open.
        dtype: numpy's name: `float32`, `int8`, `uint8`, `int16`, ...
        scale: Empty when the tensor is not quantized.
        zero_point: As long as `scale`.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: tuple[float, ...] = ()
    zero_point: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class TensorFacts(serialization.Record):
    """One tensor of the file.

    Attributes:
        subgraph: Index of its subgraph.
        index: Index inside the subgraph.
        name: As stored, or as slimming kept it beside the file; may be empty.
        shape: As stored; -1 marks an open dimension.
        dtype: Lower-case TFLite type: `float32`, `int8`, `int4`, ...
        role: What it is to its operations. A weight is a constant operand that
            an operation multiplies or looks up, also through DEQUANTIZE and
            DENSIFY.
        num_elements: Product of the shape; 0 when a dimension is open.
        constant_bytes: Bytes of its buffer in the file; 0 for activations.
        scales: Number of quantization scales: 0 none, 1 per tensor, more per
            channel.
        is_sparse: Whether only some of its elements are stored.
        values: Of a weight; None for others, or when it was not asked for.
    """

    subgraph: int
    index: int
    name: str
    shape: tuple[int, ...]
    dtype: str
    role: TensorRole
    num_elements: int
    constant_bytes: int
    scales: int
    is_sparse: bool = False
    values: weight_values.WeightValues | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class OperatorFacts(serialization.Record):
    """One operation of the file.

    Attributes:
        subgraph: Index of its subgraph.
        index: Position in the subgraph's execution order.
        name: TFLite's name, `CONV_2D`; a custom operation's own name.
        version: Operation version, which sets the runtime it needs.
        is_custom: Whether the runtime must be given the operation.
        inputs: Tensor indices; -1 for an absent optional input.
        outputs: Tensor indices.
        weights: Indices of the constant tensors it multiplies or looks up,
            behind a DEQUANTIZE where there is one.
        macs: Multiply-accumulates of one run; None where they depend on sizes
            the file leaves open, or for a custom operation.
        parameters: Elements of its stored weights and biases.
        in_loop: Whether a loop runs it any number of times.
    """

    subgraph: int
    index: int
    name: str
    version: int
    is_custom: bool
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    weights: tuple[int, ...]
    macs: int | None = None
    parameters: int = 0
    in_loop: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class SignatureFacts(serialization.Record):
    """One signature: the names an app uses."""

    key: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ResolverCheck(serialization.Record):
    """Whether XNNPACK and the builtin kernels agree on the same inputs.

    Differences are None when only one of them prepared the file, or when no
    output is of that kind.

    Attributes:
        prepared_by: Which of them prepared and ran the file.
        num_examples: How many examples both have seen.
        max_quanta: Largest difference of a quantized output, in steps of its
            scale.
        max_relative_difference: Largest difference of a float output, as a
            fraction of that output's largest magnitude.
        top1_agreement: Fraction of equal predictions.
        clear_agreement: The same among the examples on which either of them
            lets one class lead by more than 4 steps of 8 bits over the range
            of the scores; None if there are none. Kernels round differently,
            and what lies between two classes tells nothing about them.
        noise_fraction: Of an output that stands for an input: root mean square
            of the differences, as a fraction of its standard deviation.
        operation_quanta: Largest difference of any operation if both run it
            on the same inputs, in steps of its output's scale, or of a dynamic
            kernel in what rounding its inputs moves; None if that was not
            looked at, as it is not while all else is well.
        delegate_error: Why XNNPACK did not run it; "" if it did.
        builtin_error: Why the builtin kernels did not; "" if they did.
    """

    prepared_by: Literal["both", "xnnpack only", "builtin only", "none"]
    num_examples: int
    max_quanta: int | None = None
    max_relative_difference: float | None = None
    top1_agreement: float | None = None
    clear_agreement: float | None = None
    noise_fraction: float | None = None
    operation_quanta: float | None = None
    delegate_error: str = ""
    builtin_error: str = ""

    @property
    def ok(self) -> bool:
        """Whether the file is fit for use.

        Their outputs are at most 2 quanta or a relative 1e-4 apart, or they
        agree on at least 99.5 % of the predictions, of all or of the clear
        ones, with a noise of at most 2 % where an output predicts nothing. A
        file that only one of them
        prepares cannot disagree; `warnings` tells.
        """
        if self.prepared_by != "both":
            return self.prepared_by != "none"
        return self._outputs_agree or self._is_amplified

    @property
    def _is_amplified(self) -> bool:
        quanta = self.operation_quanta
        return quanta is not None and quanta <= MAX_QUANTA

    @property
    def _outputs_agree(self) -> bool:
        agreement, noise = self.top1_agreement, self.noise_fraction
        if agreement is not None and self.clear_agreement is not None:
            agreement = max(agreement, self.clear_agreement)
        if (
            (agreement is not None or noise is not None)
            and (agreement is None or agreement >= MIN_TOP1_AGREEMENT)
            and (noise is None or noise <= MAX_NOISE_FRACTION)
        ):
            return True
        if self.max_quanta is None and self.max_relative_difference is None:
            return agreement is None
        return (self.max_quanta or 0) <= MAX_QUANTA and (
            self.max_relative_difference or 0.0
        ) <= MAX_RELATIVE_DIFFERENCE

    def describe(self) -> str:
        """Returns one phrase with what was measured."""
        if self.prepared_by != "both":
            error = self.delegate_error or self.builtin_error
            return f"prepared by {self.prepared_by} ({error})"
        parts = []
        if self.max_quanta is not None:
            parts.append(f"{self.max_quanta} quanta apart")
        if self.max_relative_difference is not None:
            parts.append(f"relative {self.max_relative_difference:.2g} apart")
        if self.top1_agreement is not None:
            parts.append(f"top-1 agreement {self.top1_agreement:.2%}")
        if self.clear_agreement is not None:
            parts.append(f"{self.clear_agreement:.2%} where a class leads")
        if self.noise_fraction is not None:
            parts.append(f"noise {self.noise_fraction:.2%}")
        if self.operation_quanta is not None:
            parts.append(
                f"single operations {self.operation_quanta:.1f} quanta apart"
            )
        return f"{', '.join(parts)} on {self.num_examples} examples"

    def warnings(self) -> tuple[str, ...]:
        """Returns one sentence if it matters which of them runs the file."""
        if self.prepared_by == "xnnpack only":
            return (f"Needs XNNPACK: {self.builtin_error}.",)
        if self.prepared_by == "builtin only":
            return (f"Builtin only: {self.delegate_error}.",)
        if self.prepared_by == "both" and not self._outputs_agree:
            return (
                "Single roundings change results: with and without XNNPACK "
                f"{self.describe()}.",
            )
        return ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelFacts(serialization.Record):
    """Everything read from one `.tflite`.

    Attributes:
        sha256: Of the file.
        size_bytes: Raw size.
        gzip_bytes: Size after gzip at level 9.
        description: The file's own description field.
        min_runtime_version: From the file's metadata; None if absent.
        metadata_names: Names of the metadata entries.
        num_subgraphs: 1 unless control flow is inside.
        signatures: Named entry points; may be empty.
        inputs: Of the main subgraph, by tensor name.
        outputs: Of the main subgraph, by tensor name.
        operators: In execution order.
        tensors: All of them.
        bytes_by_dtype: Constant bytes by dtype; a shared buffer counts once.
        delegation: None when it was not asked for.
        bytes_by_role: What the bytes of the file are for; they add up to
            `size_bytes`.
        parameters: Stored elements of weights and biases; a shared buffer
            counts once.
        sparse_encoded_bytes: An estimate of the raw size if each weight were
            stored in TFLite's sparse encoding where that is smaller; None
            when the values were not asked for.
        assumed_shapes: Of the inputs of the main subgraph, in their order, if
            others than the file's own were given. MACs and delegation hold
            for them.
    """

    sha256: str
    size_bytes: int
    gzip_bytes: int
    description: str
    min_runtime_version: str | None
    metadata_names: tuple[str, ...]
    num_subgraphs: int
    signatures: tuple[SignatureFacts, ...]
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    operators: tuple[OperatorFacts, ...]
    tensors: tuple[TensorFacts, ...]
    bytes_by_dtype: dict[str, int]
    delegation: delegation_record.Delegation | None = None
    bytes_by_role: dict[str, int] = dataclasses.field(default_factory=dict)
    parameters: int = 0
    sparse_encoded_bytes: int | None = None
    assumed_shapes: tuple[tuple[int, ...], ...] = ()

    @property
    def known_macs(self) -> int:
        """MACs of all operations whose sizes are known, each run once.

        Loops count as one turn, and all branches and signatures count.
        """
        return sum(operator.macs or 0 for operator in self.operators)

    @property
    def unknown_macs(self) -> int:
        """Number of operations whose MACs are not known."""
        return sum(operator.macs is None for operator in self.operators)

    @property
    def macs(self) -> int | None:
        """Multiply-accumulates of the model; None if any are unknown."""
        return None if self.unknown_macs else self.known_macs

    @property
    def zero_weight_fraction(self) -> float | None:
        """Share of the weight elements that are zero; None if not counted."""
        counted = [t for t in self.weights if t.values is not None]
        total = sum(t.num_elements for t in counted)
        zeros = sum(t.values.zeros for t in counted if t.values)
        return zeros / total if total else None

    def totals(self) -> dict[str, int | float | None]:
        """Returns what is computed from the fields, by name."""
        return {
            "macs": self.macs,
            "known_macs": self.known_macs,
            "unknown_macs": self.unknown_macs,
            "quantized_weight_fraction": self.quantized_weight_fraction,
            "zero_weight_fraction": self.zero_weight_fraction,
        }

    @property
    def weights(self) -> tuple[TensorFacts, ...]:
        """The tensors with the role `weight`."""
        return tuple(t for t in self.tensors if t.role == "weight")

    @property
    def operator_counts(self) -> dict[str, int]:
        """Number of operations by name, most frequent first."""
        names = [operator.name for operator in self.operators]
        return {
            name: names.count(name)
            for name in sorted(set(names), key=lambda n: (-names.count(n), n))
        }

    @property
    def quantized_weight_fraction(self) -> float:
        """Share of the weights stored in at most 8 bits, by float32 bytes.

        A weight counts by its number of elements, so that a tensor does not
        weigh less for having been quantized. 0.0 for a file without weights.
        """
        return self.weight_fraction(INTEGER_WEIGHT_DTYPES)

    def weight_fraction(self, dtypes: frozenset[str]) -> float:
        """Returns the share of weight elements stored in one of `dtypes`."""
        total = sum(t.num_elements for t in self.weights)
        chosen = sum(t.num_elements for t in self.weights if t.dtype in dtypes)
        return chosen / total if total else 0.0

    def float_weight_fraction_by_operator(self) -> dict[str, float]:
        """Share of each kind of operation's weights left in float.

        Returns:
            From operation name to a fraction in [0, 1]; only operations that
            have weights.
        """
        by_index = {(t.subgraph, t.index): t for t in self.tensors}
        totals: dict[str, int] = {}
        floats: dict[str, int] = {}
        for operator in self.operators:
            for index in operator.weights:
                tensor = by_index[operator.subgraph, index]
                name = operator.name
                totals[name] = totals.get(name, 0) + tensor.num_elements
                if tensor.dtype in FLOAT_DTYPES:
                    floats[name] = floats.get(name, 0) + tensor.num_elements
        return {
            name: floats.get(name, 0) / total
            for name, total in sorted(totals.items())
            if total
        }
