# SPDX-License-Identifier: Apache-2.0
"""What a rule is, what it may look at, and how all of them are run."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Collection, Iterable, Iterator

from tflite_opt.records import errors, facts, finding
from tflite_opt.tflite import flatbuffer

# Any file may be linted, so a rule must not trust the number of operands.
_Check = Callable[["Subject"], Iterator[finding.Finding]]
_RULES: dict[str, _Check] = {}


class Subject:
    """One file, as rules see it.

    Attributes:
        facts: Read with values.
        model: The same file, for what facts do not hold.
    """

    def __init__(self, found: facts.ModelFacts, path: pathlib.Path) -> None:
        self.facts = found
        self.model = flatbuffer.read(path)
        self._tensors = {(t.subgraph, t.index): t for t in found.tensors}

    def operators(self, *names: str) -> list[facts.OperatorFacts]:
        """Returns the operations of these names; all without any."""
        return [o for o in self.facts.operators if not names or o.name in names]

    def input(
        self, operator: facts.OperatorFacts, position: int
    ) -> facts.TensorFacts | None:
        """Returns an input tensor, if there is one at that position."""
        if position >= len(operator.inputs):
            return None
        return self._tensors.get((operator.subgraph, operator.inputs[position]))

    def output(self, operator: facts.OperatorFacts) -> facts.TensorFacts | None:
        """Returns the first output tensor, if there is one."""
        if not operator.outputs:
            return None
        return self._tensors.get((operator.subgraph, operator.outputs[0]))

    def weights(self, operator: facts.OperatorFacts) -> list[facts.TensorFacts]:
        """Returns the weights, behind a DEQUANTIZE where there is one."""
        return [
            self._tensors[operator.subgraph, i]
            for i in operator.weights
            if (operator.subgraph, i) in self._tensors
        ]

    def producer(self, tensor: facts.TensorFacts) -> facts.OperatorFacts | None:
        """Returns the operation that computes a tensor."""
        return self._producers.get((tensor.subgraph, tensor.index))

    def consumers(self, tensor: facts.TensorFacts) -> list[facts.OperatorFacts]:
        """Returns the operations that read a tensor."""
        return self._consumers.get((tensor.subgraph, tensor.index), [])

    def stored(self, operator: facts.OperatorFacts) -> flatbuffer.Operator:
        """Returns the operation as stored, with its options."""
        graph = self.model.subgraphs[operator.subgraph]
        return graph.operators[operator.index]

    @functools.cached_property
    def _producers(self) -> dict[tuple[int, int], facts.OperatorFacts]:
        return {
            (o.subgraph, index): o
            for o in self.facts.operators
            for index in o.outputs
        }

    @functools.cached_property
    def _consumers(self) -> dict[tuple[int, int], list[facts.OperatorFacts]]:
        found: dict[tuple[int, int], list[facts.OperatorFacts]] = {}
        for operator in self.facts.operators:
            for index in operator.inputs:
                found.setdefault((operator.subgraph, index), []).append(
                    operator
                )
        return found


@dataclasses.dataclass(frozen=True)
class Advice:
    """What a rule yields: the parts of a finding that differ by file.

    Attributes:
        message: What is there.
        operators: The operations it is about.
        reason: Overrides the rule's.
        remedy: Overrides the rule's.
        severity: Overrides the rule's.
    """

    message: str
    operators: Collection[facts.OperatorFacts] = ()
    reason: str = ""
    remedy: str = ""
    severity: finding.Severity | None = None


def rule(
    name: str,
    *,
    reason: str,
    remedy: str,
    severity: finding.Severity = "warning",
) -> Callable[[Callable[[Subject], Iterable[Advice]]], _Check]:
    """Registers a function as a rule.

    Args:
        name: Its id.
        reason: Why a finding matters.
        remedy: What to do about it.
        severity: Of its findings.
    """

    def register(check: Callable[[Subject], Iterable[Advice]]) -> _Check:
        def run(subject: Subject) -> Iterator[finding.Finding]:
            for advice in check(subject):
                yield finding.Finding(
                    rule=name,
                    severity=advice.severity or severity,
                    message=advice.message,
                    reason=advice.reason or reason,
                    remedy=advice.remedy or remedy,
                    operators=tuple(
                        f"{o.subgraph}:{o.index}" for o in advice.operators
                    ),
                )

        _RULES[name] = run
        return run

    return register


def names() -> tuple[str, ...]:
    """Returns the ids of all rules."""
    return tuple(sorted(_RULES))


def lint(
    found: facts.ModelFacts,
    path: pathlib.Path,
    silenced: Collection[str] = (),
) -> tuple[finding.Finding, ...]:
    """Returns what all rules find, warnings first.

    Args:
        found: Facts of the file, with values and delegation where the rules
            about zeros and delegation shall speak.
        path: The file.
        silenced: Ids of rules to leave out.

    Raises:
        InputError: If a silenced rule does not exist.
        ModelError: If the file is no valid `.tflite`.
    """
    unknown = sorted(set(silenced) - set(_RULES))
    if unknown:
        raise errors.InputError(
            f"Unknown rule. Received: {', '.join(unknown)}. "
            f"Known: {', '.join(names())}."
        )
    subject = Subject(found, path)
    # Options are read on demand and may be damaged.
    with flatbuffer.refusing_damage(path):
        findings = [
            item
            for name in names()
            if name not in silenced
            for item in _RULES[name](subject)
        ]
    return tuple(sorted(findings, key=lambda item: item.severity == "note"))


def about(
    found: Collection[facts.OperatorFacts], what: str = ""
) -> Iterator[Advice]:
    """Yields one advice about operations, if there are any.

    Args:
        found: The operations.
        what: Follows their count in the message.
    """
    if found:
        yield Advice(f"{count(found)} {what}".rstrip(), found)


def count(operators: Collection[facts.OperatorFacts]) -> str:
    """Returns `2 ADD, 1 MUL` for operations."""
    by_name: dict[str, int] = {}
    for operator in operators:
        by_name[operator.name] = by_name.get(operator.name, 0) + 1
    return ", ".join(f"{n} {name}" for name, n in sorted(by_name.items()))
