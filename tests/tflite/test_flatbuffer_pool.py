# SPDX-License-Identifier: Apache-2.0
import numpy as np

from tflite_opt.tflite import checked_table, flatbuffer_pool


def test_a_pool_stores_equal_parts_once():
    pool = flatbuffer_pool.Pool()
    texts = [pool.string(b"same"), pool.string(b"same"), pool.string(b"other")]
    assert texts[0] == texts[1] != texts[2]
    apart = [pool.vector(b"same", 4, owner=i) for i in range(2)]
    assert apart[0] != apart[1]
    assert pool.table({0: b"\1"}, {1: 0}) == pool.table({0: b"\1"}, {1: 0})


def _pool():
    """Returns a root with vectors of all alignments, and their contents."""
    pool = flatbuffer_pool.Pool()
    random = np.random.default_rng(0)
    children, expected = {}, {}
    for slot in range(60):
        align = (4, 8, 16)[slot % 3]
        content = random.bytes(int(random.integers(1, 3000)) * align // 4)
        children[slot] = pool.vector(content, len(content), align=align)
        expected[slot] = content, align
    inner = pool.table({2: bytes(range(8)), 0: b"\7"}, {})
    children[60] = pool.offsets([inner, inner])
    return pool, pool.table({}, children), expected


def test_what_is_written_is_read_back():
    pool, number, expected = _pool()
    content = bytes(pool.write(number, b"TEST"))
    assert content[4:8] == b"TEST"
    root = checked_table.root(content)
    for slot, (vector, align) in expected.items():
        start, length = root.extent(slot)
        assert content[start : start + length] == vector
        assert start % align == 0
    first, second = root.tables(60)
    assert first.position == second.position
    assert first.present() == (0, 2)
    assert first.raw(0, 1) == b"\7"
    assert first.raw(2, 8) == bytes(range(8))
    (start, _), _ = first.ranges()
    assert (start + 4) % 8 == 0


def test_small_vectors_fill_the_gaps_of_alignment():
    pool = flatbuffer_pool.Pool()
    children = {}
    for slot in range(0, 20, 2):
        children[slot] = pool.vector(bytes([slot] * 4), 4, align=16)
        children[slot + 1] = pool.vector(bytes([slot] * 4), 1)
    size = len(pool.write(pool.table({}, children), b"TEST"))
    # Header, vtable, table, and no more than one gap.
    assert size <= 8 + (4 + 40) + (4 + 80) + 10 * (8 + 8) + 16
