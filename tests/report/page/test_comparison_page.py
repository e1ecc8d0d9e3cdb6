# SPDX-License-Identifier: Apache-2.0
"""The page of two runs, in a real browser."""

import dataclasses

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support import wait

from tests import factories
from tests.report.page import browser as browser_lib
from tests.report.page import example
from tflite_opt.records import benchmark, comparison
from tflite_opt.report.page import comparison_page


def _found(name, value, verdict, drop=None):
    return comparison.Comparison(
        baseline=factories.tflite(name),
        candidate=factories.tflite(name),
        device=factories.device(),
        options=benchmark.RuntimeOptions(),
        runtime="ai-edge-litert 2.3.0",
        latency=comparison.LatencyRatio(
            value=value,
            low=value - 0.01,
            high=value + 0.01,
            margin=0.03,
            verdict=verdict,
            p_value=0.01,
            pairing="rounds",
            num_launches=10,
            launches_needed=None,
        ),
        quantities=(
            comparison.Quantity(
                name="size_bytes", baseline=4000, candidate=1000
            ),
        ),
        drop=drop,
        warnings=("Launches did not take turns.",),
    )


_FOUND = [
    _found("int8", 1.2, "slower", factories.drop(0.02, verdict="exceeded")),
    _found(example.HOSTILE, 1.0, "no difference", factories.drop(0.001)),
]


def _side(name, **fields):
    values = {
        "name": name,
        "manifest": example.MANIFEST,
        "models": ("int8", example.HOSTILE),
        "recommended": "int8",
    }
    return comparison_page.Side(**values | fields)


def _write(path, **fields):
    return comparison_page.write(
        _FOUND, _side("before"), _side("after", **fields), path
    )


def test_one_sentence_says_what_is_significant():
    assert comparison_page.verdict(_FOUND) == (
        "Of 2 models: 1 slower; 1 as fast as before; loss of accuracy: 1 "
        "beyond the limit, 1 not provable either way."
    )
    alone = [_found("a", 0.5, "faster")]
    assert comparison_page.verdict(alone) == "Of 1 model: 1 faster."


def test_only_what_differs_is_listed(tmp_path):
    text = _write(tmp_path / "same.html").read_text()
    assert "Nothing: command, versions and models are the same." in text
    manifest = dataclasses.replace(example.MANIFEST, versions={"numpy": "3"})
    text = _write(
        tmp_path / "other.html",
        manifest=manifest,
        models=("int8", "new"),
        recommended="new",
    ).read_text()
    for name in ("numpy", "models of one run only", "recommended"):
        assert f">{name}</td>" in text
    assert ">command</td>" not in text


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_charts_are_drawn_without_an_error_or_a_request(
    browser, tmp_path, theme
):
    path = _write(tmp_path / "comparison.html")
    browser_lib.look(browser, 400, 3000, theme)
    browser_lib.requests(browser)
    browser.get(path.as_uri())
    wait.WebDriverWait(browser, 20, 0.05).until(
        lambda x: len(x.find_elements(By.CSS_SELECTOR, ".chart > svg")) == 2
    )
    assert "bad" in browser.find_element(By.ID, "verdict").get_attribute(
        "class"
    )
    assert example.HOSTILE in browser.find_element(By.TAG_NAME, "main").text
    assert browser.find_elements(By.TAG_NAME, "img") == []
    assert browser.get_log("browser") == []
    assert browser_lib.requests(browser) == [path.as_uri()]
