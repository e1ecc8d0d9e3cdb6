# SPDX-License-Identifier: Apache-2.0
"""A real browser without a window, or the reason why there is none."""

import json
import os
import pathlib
import shutil
from collections.abc import Iterator

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

# Set where a missing browser is a failure, as in CI.
REQUIRED = "TFLITE_OPT_REQUIRE_BROWSER"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# A browser asks its maker for updates of all kinds unless it is told not to.
_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def open_browser(profile: pathlib.Path) -> Iterator[webdriver.Chrome]:
    """Yields a browser that keeps what it logs and what it requests."""
    binary = next(filter(None, map(shutil.which, _BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if binary is None or driver is None:
        message = "needs a browser: apt-get install chromium chromium-driver"
        if os.environ.get(REQUIRED):
            pytest.fail(message)
        pytest.skip(message)
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in (*_ARGUMENTS, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.set_capability(
        "goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"}
    )
    browser = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield browser
    finally:
        browser.quit()


def requests(browser: webdriver.Chrome) -> list[str]:
    """Returns the addresses that pages asked for since the last call.

    Not in it: what the browser loads from itself, and data in addresses.
    """
    messages = [
        json.loads(entry["message"])["message"]
        for entry in browser.get_log("performance")
    ]
    addresses = [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    return [x for x in addresses if not x.startswith(("chrome:", "data:"))]


def look(
    browser: webdriver.Chrome, width: int, height: int, theme: str
) -> None:
    """Sets the size of the window and the theme that the user prefers."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {
            "width": width,
            "height": height,
            "deviceScaleFactor": 1,
            "mobile": False,
        },
    )
    feature = {"name": "prefers-color-scheme", "value": theme}
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [feature]}
    )
