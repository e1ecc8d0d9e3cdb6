# SPDX-License-Identifier: Apache-2.0
"""What became of a budget."""

import dataclasses
from typing import Literal

from tflite_opt.records import serialization

Verdict = Literal["pass", "fail", "inconclusive"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class RuleResult(serialization.Record):
    """One rule of a budget on one model.

    Attributes:
        model: Its name.
        rule: Key in the budget, e.g. `accuracy.top1`.
        limit: As text, with its unit and direction.
        found: What was found, with its interval if it has one.
        verdict: `fail` only if that is established, `inconclusive` if the
            interval holds the limit or there is nothing to judge by.
        note: What would decide it, or why it failed; may be empty.
    """

    model: str
    rule: str
    limit: str
    found: str
    verdict: Verdict
    note: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class GateResult(serialization.Record):
    """All rules of a budget.

    Attributes:
        rules: In the order of the budget.
        device: Where latency was measured; "" if it was not.
    """

    rules: tuple[RuleResult, ...]
    device: str

    @property
    def verdict(self) -> Verdict:
        """The worst of all rules."""
        found = {rule.verdict for rule in self.rules}
        if "fail" in found:
            return "fail"
        return "inconclusive" if "inconclusive" in found else "pass"

    def settled(self, verdict: Verdict) -> "GateResult":
        """Returns the result with another verdict for what is inconclusive.

        Args:
            verdict: What to take it for.
        """
        return dataclasses.replace(
            self,
            rules=tuple(
                dataclasses.replace(
                    rule,
                    verdict=verdict,
                    note=f"Inconclusive, taken for {verdict}. {rule.note}",
                )
                if rule.verdict == "inconclusive"
                else rule
                for rule in self.rules
            ),
        )
