# SPDX-License-Identifier: Apache-2.0
"""Figures in prose are those of committed records."""

import pathlib
import re
import statistics

import pytest

from tflite_opt.records import errors, measurement, report, search, transcript
from tflite_opt.studies import (
    channel_pruning,
    needs,
    readme,
    recipe_search,
    training_compression,
)

_ROOT = pathlib.Path(__file__).parents[1]
_MEASUREMENTS = _ROOT / "docs" / "measurements"


def _readme():
    return (_ROOT / "README.md").read_text(encoding="utf-8")


def test_parts_are_made_from_committed_records():
    text = _readme()
    assert "<!-- made from demo/report -->" in text
    assert readme.fill(text, _MEASUREMENTS) == text


def test_a_part_without_a_record_is_an_error():
    text = "<!-- made from needs/nothing -->\n<!-- end -->"
    with pytest.raises(errors.InputError, match="must have its record"):
        readme.fill(text, _MEASUREMENTS)


@pytest.mark.parametrize("name", needs.NEEDS)
def test_commands_for_needs_are_those_of_the_study(name):
    record = transcript.Transcript.load(
        _MEASUREMENTS / "needs" / f"{name}.json"
    )
    assert tuple(x.text for x in record.commands) == needs.NEEDS[name]
    assert f"<!-- made from needs/{name} -->" in _readme()


def test_the_demo_is_made_by_the_command_of_the_readme():
    content = report.Report.load(_MEASUREMENTS / "demo" / "report.json")
    assert content.command in _readme()


def test_figures_are_those_of_committed_studies():
    pages = [_ROOT / "README.md", *(_ROOT / "docs").glob("*.md")]
    text = "".join(path.read_text(encoding="utf-8") for path in pages)
    found = dict(re.findall(r"<!-- (\S+) -->([0-9.]+)", text))
    assert len(found) >= 10
    for name, printed in found.items():
        place, _, key = name.rpartition(".")
        folder, _, cell = place.rpartition("/")
        record = measurement.Measurement.load(
            _MEASUREMENTS / (folder or "pipeline") / f"{cell}.json"
        )
        value = record.values[key]
        if key.endswith("_bytes"):
            value /= 1e6
        digits = len(printed.partition(".")[2])
        assert f"{value:.{digits}f}" == printed, name


def test_all_stock_models_reached_int8_as_the_readme_says():
    found = _values("applications/*.json")
    assert len(found) == 2 * 11
    assert all(x["quantized_weight_fraction"] == 1 for x in found)
    assert all(x["distinct_predictions"] > 1 for x in found)
    (refused,) = [x for x in found if not x["is_trainable"]]
    assert f"{refused['rebuilt_difference']:.1e}" == "1.5e-05"
    assert "is 1.5e-5 off" in _readme()


@pytest.mark.parametrize("recipe", training_compression.RECIPES[1:])
def test_what_training_costs_and_saves_is_what_the_readme_says(recipe):
    found = _values(f"compression/{recipe}.[0-9].json")
    assert len(found) == 3
    means = _means_of_compression()[recipe]
    zeros = [100 * x["zero_fraction"] for x in found if "zero_fraction" in x]
    values = [
        x["most_values_per_channel"]
        for x in found
        if "most_values_per_channel" in x
    ]
    # Zero is added to lose the sign of -0.0.
    loss = round(means["loss_points"], 2) + 0.0
    worst = max(x["loss_points"] for x in found)
    cells = [
        f"`{recipe}`",
        f"{loss:+.2f} (worst {worst:+.2f})",
        f"{means['gzip_bytes'] / 1e3:.1f}",
        f"{100 * means['gzip_over_int8']:.0f}",
        f"{min(zeros):.0f}" if zeros else "",
        f"{max(values):.0f}" if values else "",
        f"{100 * means['test_accuracy']:.1f}",
    ]
    assert f"| {' | '.join(cells)} |".replace("  ", " ") in _text("README.md")


def test_the_smallest_recipes_are_those_that_the_readme_names():
    means = _means_of_compression()
    good = sorted(
        (x for x in means if means[x]["loss_points"] <= 1.2),
        key=lambda recipe: means[recipe]["gzip_bytes"],
    )
    text = _text("README.md")
    assert (
        f"within 1.2 points is the experiment `{good[0]}`; of zeros and shared "
        f"values it is `{good[1]}`"
    ) in text
    small, dense = (
        means[x]["size_bytes"]
        for x in ("distill_int8", training_compression.DENSE)
    )
    assert f"`distill_int8`, which is {small / dense:.2f} of it" in text


def _means_of_compression():
    """Returns the mean over seeds by recipe and figure."""
    summary = training_compression.summarize(
        {
            path.stem: measurement.Measurement.load(path)
            for path in (_MEASUREMENTS / "compression").glob("*.json")
        }
    )
    return {
        recipe: {figure: mean for figure, (mean, _) in figures.items()}
        for recipe, figures in summary.items()
    }


@pytest.mark.parametrize("model", ["resnet8", "mobilenet_v2"])
def test_what_fewer_channels_cost_is_what_the_readme_says(model):
    text = _text("README.md")
    controls = _values(f"channels/{model}.{channel_pruning.CONTROL}.*.json")

    def below(recipe):
        return [
            100 * (control["test_accuracy"] - found["test_accuracy"])
            for control, found in zip(
                controls,
                _values(f"channels/{model}.{recipe}.*.json"),
                strict=True,
            )
        ]

    pruned = _values(f"channels/{model}.{channel_pruning.HEADLINE}.*.json")
    assert len(pruned) == 3
    means = [
        f"{statistics.mean(x[key] for x in pruned):.1f}"
        for key in ("times_smaller", "times_faster")
    ]
    loss = below(channel_pruning.HEADLINE)
    cells = [
        *means,
        f"{statistics.mean(loss):+.2f} (worst {max(loss):+.2f})",
        *(
            f"{statistics.mean(below(recipe)):+.2f}"
            for recipe in ("int8", "random_int8", "scratch_int8")
        ),
    ]
    assert f"| {' | '.join(cells)} |" in text


@pytest.mark.parametrize(
    "network",
    ["fashion_ds_cnn", "cifar10_ds_cnn", "fashion_hard", "fashion_rescaled"],
)
def test_what_the_ladder_brings_back_is_what_the_readme_says(network):
    found = _values(f"ladder/{network}.[0-9].json")
    assert len(found) == 3

    def mean(key):
        return statistics.mean(x[key] for x in found)

    worst = max(x["auto_int8.loss_points"] for x in found)
    slowest = max(x["auto_int8.seconds"] for x in found)
    cells = [
        f"{100 * mean('float_accuracy'):.1f}",
        f"{mean('rung.int8.loss_points'):+.2f}",
        f"{mean('auto_int8.loss_points'):+.2f} (worst {worst:+.2f})",
        f"{mean('rung.int8.bytes') / 1e3:.1f}",
        f"{mean('auto_int8.bytes') / 1e3:.1f}",
        f"{slowest:.0f}",
    ]
    assert f"| {' | '.join(cells)} |" in _readme()


def test_bias_correction_costs_what_the_docs_say():
    found = _values("bias_correction/*.json")
    taken = [x for x in found if "refused" not in x]
    worse = [x for x in taken if x.get("chance_of_such_a_loss", 1) < 0.05]
    assert (len(taken), len(worse)) == (12, 1)
    assert not worse[0]["kept"]


def test_what_clipped_ranges_cost_is_what_the_docs_say():
    found = _values("ranges/*.json")
    ratios = [
        x["moving_average.divergence"] / x["min_max.divergence"] for x in found
    ]
    assert len(ratios) == 6
    text = _text("docs/techniques.md")
    assert f"gives {min(ratios):.1f} to {max(ratios):.1f} times the" in text
    for name in ("octav", "mse", "percentile"):
        others = [
            x[f"{name}.divergence"] < x["min_max.divergence"] for x in found
        ]
        assert 0 < sum(others) < 6


def test_stock_models_are_trained_as_the_docs_say():
    values = _values("coverage/[A-Z]*.json")
    assert len(values) == 11
    assert all(x["int8_weight_fraction"] > 0.9995 for x in values)
    pruned = [x["pruned_weight_fraction"] for x in values]
    text = _text("docs/techniques.md")
    quantized, zeros = (
        int(sum(x[f"tf_mot_{y}"] for x in values))
        for y in ("quantizes", "prunes")
    )
    assert f"functions quantize {quantized} and prune {zeros}; here" in text
    low, high = (f"{100 * x:.0f}" for x in (min(pruned), max(pruned)))
    assert f"pruned in {low} to {high} % of their weights" in text
    (steps,) = _values("coverage/steps.json")
    for technique, words in (
        ("pruning", "times as long as without a technique when it is pruned"),
        ("clustering", "times when it is clustered"),
        ("quantization_aware_training", "times when it is trained for int8"),
    ):
        ratio = steps[f"{technique}_ms"] / steps["float_ms"]
        assert f"{ratio:.2f} {words}" in text


def test_what_a_search_finds_is_what_the_docs_say():
    presets, *searches = _values("search/*.json")
    limits = search.Limits(max_accuracy_drop=0.01)
    usual = recipe_search.hypervolume(presets, limits, "test")
    ratios = [
        [
            recipe_search.hypervolume(points, limits, "test") / usual
            for points in found
        ]
        for found in zip(
            *((recipe_search.finds(x), x) for x in searches), strict=True
        )
    ]
    assert len(searches) == 3
    names = {x.partition("/")[0] for x in presets}
    text = _text("docs/search.md")
    finds, everything = (f"{min(x):.2f} to {max(x):.2f}" for x in ratios)
    assert (
        f"is {finds} times that of all {len(names)} presets together on the "
        f"test split, with the presets that they began with {everything} times"
    ) in text


def _text(page):
    """Returns a page in one line."""
    return " ".join((_ROOT / page).read_text(encoding="utf-8").split())


def _values(pattern):
    paths = sorted(_MEASUREMENTS.glob(pattern))
    return [measurement.Measurement.load(path).values for path in paths]


def test_no_committed_record_tells_of_a_machine():
    for path in _MEASUREMENTS.rglob("*.[jm][sd]*"):
        assert not re.search(r'"/|`/', path.read_text()), path
