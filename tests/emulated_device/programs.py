# SPDX-License-Identifier: Apache-2.0
"""Files to push to an emulated phone that work there as programs."""

import pathlib
import sys
from typing import Literal

Tool = Literal["benchmark_model", "litert_benchmark_model"]

APK_PACKAGE = "org.tensorflow.lite.benchmark"

_ROOT = pathlib.Path(__file__).parents[2]
_PROGRAM = """#!{python} -ES
{comment}
import site
import sys

sys.path[:0] = [{root!r}]
site.main()
from tests.emulated_device.benchmark_tool import program

program.main({tool!r})
"""


def write_benchmark_model(
    path: pathlib.Path, tool: Tool = "benchmark_model"
) -> pathlib.Path:
    """Writes a `benchmark_model` that runs models with LiteRT, for real.

    Args:
        path: The file.
        tool: Which of the two C++ tools it is like.
    """
    _write(path, tool, "# SPDX-License-Identifier: Apache-2.0")
    path.chmod(0o755)
    return path


def write_benchmark_apk(path: pathlib.Path) -> pathlib.Path:
    """Writes an app like TFLite's benchmark app, for the phone's `pm`."""
    _write(path, "benchmark_model", f"# emulated-package:{APK_PACKAGE}")
    return path


def write_all(folder: pathlib.Path) -> list[pathlib.Path]:
    """Writes both tools and the app into a folder."""
    return [
        write_benchmark_model(folder / "benchmark_model"),
        write_benchmark_model(
            folder / "litert_benchmark_model", "litert_benchmark_model"
        ),
        write_benchmark_apk(folder / "benchmark_model.apk"),
    ]


def _write(path: pathlib.Path, tool: Tool, comment: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        _PROGRAM.format(
            python=sys.executable, root=str(_ROOT), tool=tool, comment=comment
        )
    )
