# SPDX-License-Identifier: Apache-2.0
import json

import pytest

from tests.scripts import programs
from tflite_opt.records import evaluation


def _evaluate(run, output, *flags):
    models = [
        run.path("artifacts", f"{name}.tflite") for name in ("float32", "int8")
    ]
    return programs.run("evaluate", *models, f"--output_dir={output}", *flags)


def test_losses_are_paired_under_the_same_corruption(finished_run, tmp_path):
    done = _evaluate(
        finished_run,
        tmp_path / "out",
        "--corruptions=noise,blur",
        "--corruption_severity=5",
        "--output=json",
    )
    assert done.returncode == 0, done.stderr
    results = [
        evaluation.Evaluation.from_json(item)
        for item in json.loads(done.stdout)
    ]
    splits = ["test", "test-noise5", "test-blur5"]
    assert [x.split for x in results] == [s for s in splits for _ in range(2)]
    assert len({x.data_fingerprint for x in results}) == 3
    for baseline, candidate in zip(results[::2], results[1::2], strict=True):
        assert baseline.drop is None
        assert candidate.drop.baseline == baseline.artifact.sha256
        loss = baseline.metric.value - candidate.metric.value
        assert candidate.drop.value == pytest.approx(loss)
    assert results[4].metric.value < results[0].metric.value


@pytest.mark.parametrize(
    ("flags", "part"),
    [
        (["--corruptions=fog"], "'fog'"),
        (["--corruptions=noise", "--corruption_severity=9"], "severity=9"),
    ],
)
def test_unknown_corruptions_are_refused(finished_run, tmp_path, flags, part):
    done = _evaluate(finished_run, tmp_path / "out", *flags)
    programs.assert_one_error_line(done, part)
    assert not (tmp_path / "out").exists()
