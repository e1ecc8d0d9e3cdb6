# SPDX-License-Identifier: Apache-2.0
"""The threads that share the reading and decoding of files.

They gain where the work lets go of Python's lock, as reading, decompression
and Pillow's decoders do.
"""

import functools
import os
from collections.abc import Callable, Sequence
from concurrent import futures
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_NUM_THREADS = os.cpu_count() or 1
# A task for each item would cost more than to decode a tiny image.
_MAX_ITEMS_PER_TASK = 64


def map_items(
    function: Callable[[_Item], _Result], items: Sequence[_Item]
) -> list[_Result]:
    """Returns `function` of every item, in order, from several threads.

    Raises:
        Exception: The first that `function` raises.
    """
    size = min(_MAX_ITEMS_PER_TASK, -(-len(items) // _NUM_THREADS)) or 1
    shares = [items[i : i + size] for i in range(0, len(items), size)]
    results = _pool().map(lambda share: [function(x) for x in share], shares)
    return [result for share in results for result in share]


@functools.cache
def _pool() -> futures.Executor:
    return futures.ThreadPoolExecutor(_NUM_THREADS)
