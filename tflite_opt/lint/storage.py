# SPDX-License-Identifier: Apache-2.0
"""Rules about bytes that need not be there."""

import hashlib
from collections.abc import Iterator

from tflite_opt.lint import rule

_MIN_DUPLICATE_BYTES = 64
_MIN_ZERO_FRACTION = 0.5


@rule.rule(
    "duplicate-weights",
    reason="The same values are stored more than once.",
    remedy="Share the layer in the model. Slimming (`scripts.slim`) shares "
    "unquantized constants only.",
)
def duplicate_weights(subject: rule.Subject) -> Iterator[rule.Advice]:
    """Constant buffers with the same content."""
    used = {
        tensor.buffer
        for graph in subject.model.subgraphs
        for tensor in graph.tensors
    }
    first: set[str] = set()
    places: set[int] = set()
    wasted = copies = 0
    for index in sorted(used):
        start, size = subject.model.buffers[index]
        if size < _MIN_DUPLICATE_BYTES or start in places:
            continue
        places.add(start)
        content = subject.model.buffer_bytes(index)
        digest = hashlib.sha256(content).hexdigest()
        if digest in first:
            wasted += size
            copies += 1
        first.add(digest)
    if copies:
        yield rule.Advice(
            f"{copies} constants stored twice, {wasted:,} bytes too many"
        )


@rule.rule(
    "unexploited-zeros",
    reason="Zeros make the download smaller after compression, but the raw "
    "file and the latency stay those of a dense model.",
    remedy="Convert with sparse encoding (EXPERIMENTAL_SPARSITY) if the raw "
    "size matters, or prune whole channels if latency does.",
)
def unexploited_zeros(subject: rule.Subject) -> Iterator[rule.Advice]:
    """Many zeros stored as dense weights."""
    fraction = subject.facts.zero_weight_fraction
    if fraction is None or fraction < _MIN_ZERO_FRACTION:
        return
    if any(tensor.is_sparse for tensor in subject.facts.weights):
        return
    message = f"{fraction:.0%} of the weights are zeros, stored densely"
    sparse = subject.facts.sparse_encoded_bytes
    if sparse is not None and sparse < subject.facts.size_bytes:
        message += (
            f": {subject.facts.size_bytes:,} bytes instead of about {sparse:,}"
        )
    yield rule.Advice(message)
