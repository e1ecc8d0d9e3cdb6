# SPDX-License-Identifier: Apache-2.0
"""Turns what a page says into one HTML file that needs nothing else."""

import functools
import pathlib
from typing import Any

import jinja2

from tflite_opt.records import files
from tflite_opt.report.page import chart


class Charts:
    """The specifications of a page, which it draws when they come into view."""

    def __init__(self) -> None:
        self.specs: dict[str, Any] = {}

    def add(self, view: chart.View) -> str:
        """Takes a chart and returns its name in the page."""
        name = f"chart-{len(self.specs)}"
        self.specs[name] = view.spec
        return name


def write(
    template: str, context: dict[str, Any], path: pathlib.Path
) -> pathlib.Path:
    """Writes a page.

    Args:
        template: Its name.
        context: What the template needs; texts are escaped.
        path: Gets the page.
    """
    found = _environment().get_template(template)
    files.write_text(path, found.render(context, charts=Charts(), vega=_vega()))
    return path


@functools.cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("tflite_opt.report.page"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@functools.cache
def _vega() -> str:
    """Returns Vega, Vega-Lite and Vega-Embed as one script."""
    # Slow to make, and only pages need it.
    import vl_convert

    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
