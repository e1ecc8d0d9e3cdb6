# SPDX-License-Identifier: Apache-2.0
from tflite_opt.records import search
from tflite_opt.report import search_text
from tflite_opt.search import choosing

FLOAT32 = search.Outcome(
    name="float32",
    status="measured",
    metric=0.9,
    drop=0.0,
    size_bytes=1000,
    gzip_bytes=900,
    latency_ms=4.0,
    times_faster=1.0,
)


def made(name, drop, size, faster):
    return search.Outcome(
        name=name,
        status="measured",
        metric=0.9 - drop,
        drop=drop,
        size_bytes=size,
        gzip_bytes=size,
        latency_ms=4.0 / faster,
        times_faster=faster,
    )


OUTCOMES = [
    FLOAT32,
    made("small", 0.008, 250, 3.0),
    made("fast", 0.004, 300, 4.0),
    made("worse", 0.009, 320, 2.0),
    made("lossy", 0.2, 100, 5.0),
    search.Outcome(name="broken", status="failed", reason="It crashed."),
]


def test_the_front_holds_what_meets_the_limits_and_is_not_beaten():
    limits = search.Limits(max_accuracy_drop=0.01)
    found = choosing.choose(OUTCOMES, limits, "size")
    assert found.front == ("float32", "small", "fast")
    assert found.chosen == "small"
    assert found.nearest is None
    assert found.num_trials == 5
    assert found.lost == {
        "worse": "small is nowhere worse",
        "lossy": "loses more than the limit",
        "broken": "It crashed.",
    }


def test_the_objective_decides_what_is_recommended():
    limits = search.Limits(max_accuracy_drop=0.01)
    assert choosing.choose(OUTCOMES, limits, "latency").chosen == "fast"


def test_without_a_front_the_nearest_is_named_with_what_it_would_take():
    limits = search.Limits(max_accuracy_drop=0.001, max_bytes=200)
    found = choosing.choose(OUTCOMES, limits, "size")
    assert (found.front, found.chosen, found.nearest) == ((), None, "fast")
    text = search_text.result(found, OUTCOMES, limits)
    assert text.startswith(
        "Front of 5 trials: nothing meets the limits.\n"
        "Nearest: fast, which would take max_accuracy_drop=0.00402 instead of "
        "0.001 and max_bytes=300 instead of 200.\n"
    )


def test_a_table_of_trials_shows_what_is_awaited():
    proposal = search.Proposal(
        number=7, parameters={}, recipe={"name": "small"}
    )
    lines = search_text.trials(
        [(proposal, OUTCOMES[1]), (proposal, None)]
    ).splitlines()
    assert lines[2].split() == (
        ["7", "small", "+0.0080", "3.00", "250", "250", "0.0", "measured"]
    )
    assert lines[3].split() == ["7", "small", "running"]
    assert search_text.progress([(proposal, OUTCOMES[1])]) == (
        "1 trials: 1 measured"
    )
