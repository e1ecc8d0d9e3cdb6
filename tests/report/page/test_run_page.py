# SPDX-License-Identifier: Apache-2.0
"""The page of a run, in a real browser."""

import dataclasses
import re

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support import wait
from selenium.webdriver.support.select import Select

from tests.report.page import browser as browser_lib
from tests.report.page import example
from tflite_opt.report.page import run_page


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    loaded = example.evidence(folder)
    content = example.content(loaded)
    return run_page.write(
        content, loaded, example.MANIFEST, folder / "report.html"
    )


@pytest.fixture
def page(browser, path):
    browser_lib.look(browser, 1200, 900, "light")
    browser.get(path.as_uri())
    return browser


def _until(browser, condition):
    return wait.WebDriverWait(browser, 10, 0.05).until(condition)


def _circles(browser):
    return browser.find_elements(
        By.CSS_SELECTOR, "#scatter path[aria-label*='variant:']"
    )


def _names(browser):
    found = browser.find_elements(By.CSS_SELECTOR, "#table tbody th a")
    return [x.text for x in found if x.is_displayed()]


def test_it_is_one_small_file_with_names_as_text(path):
    text = path.read_text(encoding="utf-8")
    assert len(text) < 1.2e6
    assert example.HOSTILE not in text
    assert "<img src=x" not in text
    assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//", text)


def test_it_shows_what_an_automatic_recipe_tried(page):
    page.execute_script(
        "document.querySelectorAll('details').forEach(x => x.open = true)"
    )
    detail = page.find_element(By.ID, "variant-2")
    assert "What was tried for a loss of at most 0.30%" in detail.text
    rows = detail.find_elements(By.CSS_SELECTOR, "table tbody tr")
    cells = [
        [x.text.strip() for x in row.find_elements(By.TAG_NAME, "td")]
        for row in rows
    ]
    assert [(x[0], x[1], x[-1]) for x in cells] == [
        ("int8", "taken", "missed"),
        ("rounding", "failed", example.HOSTILE),
        ("bias_correction", "taken", "met"),
    ]
    assert "bias_correction meets the target." in detail.text
    assert "What was tried" not in page.find_element(By.ID, "variant-1").text


def test_an_unfinished_run_leaves_out_what_it_does_not_know(tmp_path):
    loaded = [
        dataclasses.replace(item, test=None, results=(), errors=None)
        for item in example.evidence(tmp_path)
    ]
    content = dataclasses.replace(
        example.content(loaded), recommendation=None, data_check=None, costs=()
    )
    path = run_page.write(
        content, loaded, example.MANIFEST, tmp_path / "report.html"
    )
    text = path.read_text(encoding="utf-8")
    assert "No recommendation: the run is not finished." in text
    for part in ("trade-off", "device", "costs"):
        assert f'<section id="{part}"' not in text
    assert "Latency by launch" not in text
    assert "latency ms" not in text
    assert "Representative data" not in text


def test_it_says_what_to_ship_before_all_else(page):
    verdict = page.find_element(By.ID, "verdict")
    assert "open" in verdict.get_attribute("class").split()
    assert verdict.text.splitlines() == [
        "Ship int8, the best if small and fast is what counts and the loss of "
        "top-1 may be 0.50% at most: 4.00x smaller and 2.00x the speed of "
        "float32.",
        "On the test split it has top-1 97.90% (96.90%-98.90%): loss +0.10% "
        "(-1.55% to +1.10%), not provable with 450 examples; about 10,000 "
        "would decide it at these rates.",
        f"Not measured: latency of {example.HOSTILE}; latency on a phone: only "
        "this desktop was measured; what failed: 1 recipe, see below.",
    ]


def test_all_charts_are_drawn_without_an_error_or_a_request(browser, path):
    browser_lib.look(browser, 1200, 20_000, "light")
    browser_lib.requests(browser)
    browser.get(path.as_uri())
    browser.execute_script(
        "document.querySelectorAll('details').forEach(x => x.open = true)"
    )
    places = browser.find_elements(By.CSS_SELECTOR, ".chart")
    assert len(places) > 20
    _until(
        browser,
        lambda x: len(x.find_elements(By.CSS_SELECTOR, ".chart > svg"))
        == len(places),
    )
    titles = {
        x.text
        for x in browser.find_elements(By.CSS_SELECTOR, "figcaption strong")
    }
    assert titles == {
        "Latency by launch",
        "Bits and bytes of the weights",
        "Sparsity of the weights",
        "Delegation",
        "Multiply-accumulates",
        "Time by operation, 1 thread",
        "Signal to noise",
        "Cosine",
        "Training: loss",
        "Training: accuracy",
        "processes that wanted a CPU",
    }
    assert browser.get_log("browser") == []
    assert browser_lib.requests(browser) == [path.as_uri()]


def test_a_click_on_a_header_sorts_and_unknown_values_come_last(page):
    heads = page.find_elements(By.CSS_SELECTOR, "#table thead button")
    by_name = {x.text.split(" ")[0]: x for x in heads}
    by_name["bytes"].click()
    assert _names(page) == ["int8", example.HOSTILE, "float32"]
    by_name["latency"].click()
    assert _names(page) == ["int8", "float32", example.HOSTILE]
    by_name["latency"].click()
    assert _names(page) == ["float32", "int8", example.HOSTILE]
    head = page.find_element(By.CSS_SELECTOR, "#table [aria-sort=descending]")
    assert head.text.startswith("latency")


def test_the_filter_goes_by_all_words_and_by_the_front(page):
    field = page.find_element(By.ID, "filter")
    field.send_keys("PROVABLE back")
    assert _names(page) == ["int8"]
    assert page.find_element(By.ID, "count").text == "1 of 3"
    field.clear()
    field.send_keys("onerror")
    assert _names(page) == [example.HOSTILE]
    field.clear()
    page.find_element(By.ID, "optimal").click()
    assert _names(page) == ["float32", "int8"]


def test_axes_and_devices_can_be_chosen(page):
    def titles():
        found = page.find_elements(By.CSS_SELECTOR, "#scatter .role-axis-title")
        return {x.text for x in found}

    _until(page, lambda _: len(_circles(page)) == 2)
    assert titles() == {"median latency, ms", "top-1 on the test split"}
    form = page.find_element(By.ID, "axes")
    labels = {
        name: [x.text for x in Select(form.find_element(By.NAME, name)).options]
        for name in ("x", "place")
    }
    assert labels["place"] == [
        "desk, 1 thread, xnnpack",
        "phone, 1 thread, xnnpack",
    ]
    assert "energy per inference, mJ" in labels["x"]
    before = _circles(page)[0].get_attribute("aria-label")
    Select(form.find_element(By.NAME, "place")).select_by_index(1)
    _until(
        page,
        lambda _: before
        not in [x.get_attribute("aria-label") for x in _circles(page)],
    )
    Select(form.find_element(By.NAME, "x")).select_by_value("size_kb")
    _until(page, lambda _: "file size, kB" in titles())
    assert page.get_log("browser") == []


def test_a_pointer_on_a_circle_shows_its_recipe(page):
    _until(page, lambda _: len(_circles(page)) == 2)
    ActionChains(page).move_to_element(_circles(page)[1]).perform()
    tooltip = _until(
        page,
        lambda x: x.find_element(
            By.CSS_SELECTOR, "#vg-tooltip-element.visible"
        ),
    )
    assert "int8() by a back end" in tooltip.text
    assert "97.90% (96.90%-98.90%)" in tooltip.text


@pytest.mark.parametrize(
    ("theme", "back"),
    [("light", "rgb(255, 255, 255)"), ("dark", "rgb(13, 17, 23)")],
)
@pytest.mark.parametrize("width", [360, 1400])
def test_it_fits_windows_and_themes(browser, path, theme, back, width):
    browser_lib.look(browser, width, 900, theme)
    browser.get(path.as_uri())
    _until(browser, lambda _: len(_circles(browser)) == 2)
    # Nothing is cut off, and only the table scrolls.
    assert (
        browser.execute_script("return document.documentElement.scrollWidth")
        <= width
    )
    body = browser.find_element(By.TAG_NAME, "body")
    color = browser.execute_script(
        "return getComputedStyle(arguments[0]).backgroundColor", body
    )
    assert color == back
    chart = browser.find_element(By.CSS_SELECTOR, "#scatter svg")
    assert 0.7 * width < chart.size["width"] <= width


def test_a_link_to_a_variant_opens_it(page):
    page.find_element(By.LINK_TEXT, "float32").click()
    details = page.find_element(By.ID, "variant-1")
    _until(page, lambda _: details.get_attribute("open"))
    steps = details.find_elements(By.CSS_SELECTOR, ".lineage strong")
    assert [x.text for x in steps] == [
        example.MODEL,
        "pruning",
        "Keras model",
        "full_integer()",
        "slimming()",
        "float32.tflite",
    ]
