# SPDX-License-Identifier: Apache-2.0
import threading

import pytest

from tflite_opt.data import parallel


@pytest.mark.parametrize("count", [0, 1, 2, 3, 63, 1000])
def test_results_are_in_order(count):
    found = parallel.map_items(lambda x: 2 * x, range(count))
    assert found == list(range(0, 2 * count, 2))


def test_items_are_shared_by_threads(monkeypatch):
    monkeypatch.setattr(parallel, "_NUM_THREADS", 2)
    parallel._pool.cache_clear()
    both = threading.Barrier(2, timeout=10)
    # Only two threads at once get past the barrier.
    assert parallel.map_items(lambda x: both.wait() >= 0, [0, 1]) == [True] * 2
    parallel._pool.cache_clear()


def test_an_error_comes_out():
    with pytest.raises(ZeroDivisionError):
        parallel.map_items(lambda x: 1 // x, [1, 2, 0])
