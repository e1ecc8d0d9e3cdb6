# SPDX-License-Identifier: Apache-2.0
"""One browser for all tests of pages."""

from collections.abc import Iterator

import pytest
from selenium import webdriver

from tests.report.page import browser as browser_lib


@pytest.fixture(scope="package")
def browser(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[webdriver.Chrome]:
    """Yields a browser, or skips with the reason."""
    yield from browser_lib.open_browser(tmp_path_factory.mktemp("profile"))
