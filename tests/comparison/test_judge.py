# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from tests import factories
from tests.comparison import evidence
from tflite_opt.comparison import budget, judge, stored
from tflite_opt.records import artifact, benchmark, errors

_RELATIVE = {
    "latency": {"latency": "3 %"},
    "accuracy": {"accuracy": "0.3 points"},
    "size": {"size": "1 %"},
}


def _budget(**limits):
    return budget.parse({"models": limits})


@pytest.mark.parametrize(
    ("rule", "given", "flag"),
    [
        ("latency", {}, "--baseline_artifacts=DIR"),
        # Stored latencies of another session are never compared.
        ("latency", {"models": {}}, "--baseline_artifacts=DIR"),
        ("accuracy", {"artifacts": {}}, "--baseline=RUN"),
        ("size", {}, "--baseline=RUN"),
    ],
)
def test_a_relative_rule_needs_its_baseline(rule, given, flag):
    rules = _budget(int8={"relative": _RELATIVE[rule]})
    results = {"int8": evidence.evidence("int8")}
    with pytest.raises(
        errors.InputError,
        match=re.escape(f"The rule 'relative.{rule}' needs {flag}"),
    ):
        judge.check(rules, results, judge.Baseline(**given))


def test_the_size_of_a_baseline_may_come_from_its_file():
    rules = _budget(int8={"relative": _RELATIVE["size"]})
    results = {"int8": evidence.evidence("int8")}
    files = {"int8": factories.tflite("int8.baseline", size_bytes=900)}
    baseline = judge.Baseline(artifacts=files)
    judge.check(rules, results, baseline)
    found = judge.judge(rules, results, baseline, {})
    assert found.verdict == "fail"
    assert found.rules[0].found == "1.111x (900 to 1,000)"


def test_a_budget_for_unknown_models_is_refused():
    rules = _budget(int7={"partitions": 1})
    results = {"int8": evidence.evidence("int8")}
    with pytest.raises(
        errors.InputError, match="Received: 'int7'. Known: int8."
    ):
        judge.check(rules, results, judge.Baseline())


def test_rules_of_every_model_hold_for_each():
    rules = _budget(
        **{"*": {"partitions": 1}, "b": {"size_bytes": 1}},
    )
    results = {name: evidence.evidence(name) for name in "ab"}
    judge.check(rules, results, judge.Baseline())
    found = judge.judge(rules, results, judge.Baseline(), {})
    assert [(x.model, x.rule, x.verdict) for x in found.rules] == [
        ("a", "partitions", "pass"),
        ("b", "partitions", "pass"),
        ("b", "size_bytes", "fail"),
    ]
    assert found.verdict == "fail"
    assert found.device == "cpu"


def test_candidates_and_baselines_are_measured_together(tmp_path):
    files = {}
    for name in ("int8", "other"):
        (tmp_path / f"{name}.tflite").write_bytes(name.encode())
        files[name] = artifact.describe(
            tmp_path / f"{name}.tflite", format="tflite"
        )
    baseline = judge.Baseline(artifacts=judge.read_artifacts(tmp_path))
    rules = _budget(
        int8={"relative": _RELATIVE["latency"]}, other={"partitions": 1}
    )
    results = {
        name: stored.Evidence(artifact=item) for name, item in files.items()
    }
    found = judge.to_measure(rules, results, baseline)
    assert [item.name for item in found] == ["int8.baseline", "int8"]
    files["int8"].path.write_bytes(b"other")
    with pytest.raises(errors.InputError, match="gone or was changed"):
        judge.to_measure(rules, results, baseline)


def test_what_was_measured_again_is_judged_not_what_was_stored():
    rules = _budget(int8={"relative": _RELATIVE["latency"]})
    results = {"int8": evidence.evidence("int8", 0.1)}
    baseline = judge.Baseline(
        artifacts={"int8": factories.tflite("int8.baseline")}
    )
    measured = {
        "int8.baseline": evidence.evidence("int8.baseline"),
        "int8": evidence.evidence("int8", 1.2, turn=1),
    }
    found = judge.judge(rules, results, baseline, measured)
    assert found.verdict == "fail"
    assert found.rules[0].found.startswith("1.196x")
    failure = benchmark.BenchmarkFailure(
        artifact=factories.tflite("int8"), message="It crashed."
    )
    measured["int8"] = stored.Evidence(
        artifact=failure.artifact, failure=failure
    )
    found = judge.judge(rules, results, baseline, measured)
    assert found.rules[0].note == "It crashed."


def test_a_folder_without_models_is_refused(tmp_path):
    with pytest.raises(
        errors.InputError,
        match=re.escape(f"baseline_artifacts={str(tmp_path)!r}"),
    ):
        judge.read_artifacts(tmp_path)
