# SPDX-License-Identifier: Apache-2.0
import os

import pytest

from tflite_opt import cpu_threads


def test_shares_are_all_cpus_and_overlap_only_where_there_are_too_few():
    cpus = sorted(os.sched_getaffinity(0))
    assert cpu_threads.shares(1) == [cpus]
    divided = cpu_threads.shares(len(cpus))
    assert divided == [[cpu] for cpu in cpus]
    assert cpu_threads.shares(len(cpus) + 1) == [*divided, cpus]


@pytest.mark.parametrize("begin", ["start", "run"])
def test_what_work_yields_and_raises_is_handed_over(begin):
    cpus = sorted(os.sched_getaffinity(0))

    def work():
        yield "first"
        yield "second"
        raise KeyboardInterrupt("third")

    threads = cpu_threads.Threads()
    getattr(threads, begin)(cpus, work)
    assert [threads.get(), threads.get()] == ["first", "second"]
    with pytest.raises(KeyboardInterrupt, match="third"):
        threads.get()


def test_work_that_was_started_has_its_cpus_and_no_one_else():
    cpus = sorted(os.sched_getaffinity(0))
    threads = cpu_threads.Threads()
    threads.start(cpus[:1], lambda: [sorted(os.sched_getaffinity(0))])
    assert threads.get() == cpus[:1]
    assert sorted(os.sched_getaffinity(0)) == cpus
