# SPDX-License-Identifier: Apache-2.0
import dataclasses
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest

from tests.search import recorded, recorded_search, slowly_recorded
from tests.search.test_loop import Recorded, carry_out
from tflite_opt.records import errors
from tflite_opt.search import local_executor, store

_ROOT = pathlib.Path(__file__).parents[2]


def job_of(folder, *names):
    plan = recorded.plan(folder)
    found = [
        plan.space.propose(
            0, lambda asked, labels, n=n: n if n in labels else labels[0]
        )
        for n in names
    ]
    return dataclasses.replace(
        plan.job, recipes=tuple(proposal.recipe for proposal in found)
    )


def test_a_job_is_carried_out_in_a_process(tmp_path):
    job = job_of(tmp_path, "float16", "int8")
    executor = local_executor.LocalExecutor(1, "tests.search.recorded")
    found = list(executor.make([job]))
    assert found == [recorded.outcome(x) for x in job.recipes]


def test_processes_share_the_cpus(tmp_path):
    cpus = sorted(os.sched_getaffinity(0))
    jobs = [job_of(tmp_path, name) for name in ("float16", "int8")]
    executor = local_executor.LocalExecutor(2, "tests.search.placed")
    found = [json.loads(x.reason) for x in executor.make(jobs)]
    # Either may take both jobs.
    for used in found:
        assert used in (cpus[::2], cpus[1::2] or cpus)
    assert sorted(os.sched_getaffinity(0)) == cpus


@pytest.mark.slow
def test_a_recipe_that_kills_its_process_twice_has_failed(tmp_path):
    job = job_of(tmp_path, "float16", "int8")
    executor = local_executor.LocalExecutor(1, "tests.search.dying")
    first, second = executor.make([job])
    assert first.status == "failed"
    assert first.reason == "Twice, its process crashed with signal 9."
    assert second == recorded.outcome(job.recipes[1])


def test_rejects_to_work_without_processes():
    with pytest.raises(
        errors.InputError, match=re.escape("Received: num_processes=0")
    ):
        local_executor.LocalExecutor(0)


@pytest.mark.slow
def test_a_killed_search_goes_on_with_the_same_trials(tmp_path):
    expected = carry_out(
        tmp_path / "uninterrupted",
        Recorded(),
        num_trials=recorded_search.NUM_TRIALS,
    )
    folder = tmp_path / "killed"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.search.recorded_search", str(folder)],
        cwd=_ROOT,
    )
    records = store.Store(folder, folder)
    while sum(outcome is not None for _, outcome in records.trials()) < 2:
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    # Its children end with it.
    time.sleep(3)
    left = slowly_recorded.unfinished(folder)
    time.sleep(3)
    assert left
    assert slowly_recorded.unfinished(folder) == left
    assert recorded_search.carry_out(folder) == expected
