# SPDX-License-Identifier: Apache-2.0
"""The rules of the structure, checked on the code itself."""

import ast
import pathlib
import subprocess
import sys

import pytest

from tflite_opt import techniques
from tflite_opt.evaluation import metrics

_ROOT = pathlib.Path(__file__).parents[1]
_PACKAGE = _ROOT / "tflite_opt"
_ANDROID = _ROOT / "android_bench"

# Lower may not import higher.
_LAYERS = {
    "records": 0,
    "child_process": 0,
    "cpu_threads": 0,
    "progress": 0,
    "optional_package": 1,
    "strict_yaml": 1,
    "user_code": 1,
    "intervals": 1,
    "tflite": 1,
    "data": 2,
    "keras_models": 2,
    "post_training": 2,
    "techniques": 3,
    "recipe": 4,
    "trial_conversion": 5,
    "compression": 5,
    "conversion": 5,
    "evaluation": 5,
    "benchmark": 5,
    "report": 5,
    "comparison": 6,
    "stages": 6,
    "ladder": 7,
    "pipeline": 8,
    "search": 8,
    "studies": 9,
    "api": 9,
    "lint": 2,
}
# Stages talk to each other through records.
_STAGES = {"compression", "conversion", "evaluation", "benchmark", "report"}
_WITHOUT_TENSORFLOW = (
    "android_bench.readiness",
    "android_bench.server",
    "scripts.debug_quantization",
    "scripts.inspect_model",
    "scripts.mixed_precision",
    "scripts.slim",
    "scripts.benchmark",
    "scripts.measure_peers",
    "scripts.evaluate",
    "scripts.report",
    "scripts.optimize",
    "scripts.search",
    "scripts.compress",
    "scripts.convert",
    "scripts.train",
    "scripts.check_data",
    "scripts.preflight",
    "scripts.compare",
    "scripts.gate",
    "scripts.benchmark_android",
    "scripts.android_devices",
    "scripts.measure_android",
)
# What a phone's measurements share with a desktop's.
_FOR_ANDROID = ("records", "tflite", "benchmark")
_HEAVY = ("tensorflow", "tf_keras", "tensorflow_model_optimization", "keras")
# Imported inside functions: it takes longer than the rest of a start.
_SLOW = ("scipy.stats", "scipy.special", "scipy.optimize")


def _modules() -> list[pathlib.Path]:
    return sorted(_PACKAGE.rglob("*.py"))


def _imports(path: pathlib.Path, *, top_level_only: bool) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_level_only else list(ast.walk(tree))
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _layer_of(name: str) -> str | None:
    parts = name.split(".")
    if parts[0] != "tflite_opt" or len(parts) < 2:
        return None
    return parts[1] if parts[1] in _LAYERS else None


@pytest.mark.parametrize(
    "path", _modules(), ids=lambda p: str(p.relative_to(_PACKAGE))
)
def test_imports_point_down(path):
    own = path.relative_to(_PACKAGE).parts[0].removesuffix(".py")
    if own == "__init__":
        return
    for name in _imports(path, top_level_only=False):
        used = _layer_of(name)
        if used is None or used == own:
            continue
        assert _LAYERS[used] <= _LAYERS[own], f"{path} imports {name}"
        assert not {used, own} <= _STAGES, f"stage {own} imports {name}"


def test_every_module_has_a_layer():
    tops = {
        p.relative_to(_PACKAGE).parts[0].removesuffix(".py") for p in _modules()
    }
    assert tops - {"__init__"} == set(_LAYERS)


@pytest.mark.parametrize(
    "path",
    [*_modules(), *sorted(_ANDROID.rglob("*.py"))],
    ids=lambda p: str(p.relative_to(_ROOT)),
)
def test_flags_live_in_scripts_only(path):
    assert not {
        name
        for name in _imports(path, top_level_only=False)
        if name.startswith("absl")
    }


@pytest.mark.parametrize(
    "path", _modules(), ids=lambda p: str(p.relative_to(_PACKAGE))
)
def test_tensorflow_is_never_imported_at_module_level(path):
    assert not {
        name
        for name in _imports(path, top_level_only=True)
        if name.split(".")[0] in _HEAVY
    }


def test_the_litert_side_never_imports_tensorflow():
    for folder in ("records", "tflite", "benchmark", "report", "evaluation"):
        for path in (_PACKAGE / folder).rglob("*.py"):
            names = _imports(path, top_level_only=False)
            assert not {n for n in names if n.split(".")[0] in _HEAVY}, path


def test_android_bench_takes_only_what_phones_and_desktops_share():
    for path in _ANDROID.rglob("*.py"):
        for name in _imports(path, top_level_only=False):
            assert name.split(".")[0] not in (*_HEAVY, "scripts"), path
            layer = _layer_of(name)
            assert layer is None or layer in _FOR_ANDROID, f"{path}: {name}"


def test_tflite_opt_never_imports_android_bench():
    for path in _modules():
        names = _imports(path, top_level_only=False)
        assert not {n for n in names if n.startswith("android_bench")}, path


def test_records_need_the_standard_library_and_numpy_only():
    allowed = set(sys.stdlib_module_names) | {"numpy", "tflite_opt"}
    for path in (_PACKAGE / "records").rglob("*.py"):
        names = _imports(path, top_level_only=False)
        assert {name.split(".")[0] for name in names} <= allowed, path


def test_each_technique_has_its_test():
    folder = pathlib.Path(techniques.__path__[0])
    for path in folder.glob("*.py"):
        if path.stem != "__init__":
            test = _ROOT / "tests" / "techniques" / f"test_{path.stem}.py"
            assert test.is_file(), test


def test_each_metric_has_its_test():
    folder = pathlib.Path(metrics.__path__[0])
    for path in folder.glob("*.py"):
        if path.stem != "__init__":
            name = f"test_{path.stem}.py"
            test = _ROOT / "tests" / "evaluation" / "metrics" / name
            assert test.is_file(), test


@pytest.mark.parametrize("program", _WITHOUT_TENSORFLOW)
def test_programs_start_without_what_is_slow_to_import(program):
    code = (
        f"import sys, {program}\n"
        f"print([name for name in {_HEAVY + _SLOW!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_every_package_is_installed():
    text = (_ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for package in (_PACKAGE, _ANDROID):
        for path in package.rglob("__init__.py"):
            name = ".".join(path.parent.relative_to(_ROOT).parts)
            assert f'"{name}",' in text, name


def test_every_program_has_a_command_in_its_docstring():
    for path in (_ROOT / "scripts").glob("[a-z]*.py"):
        docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
        assert f"python -m scripts.{path.stem}" in docstring, path


def test_every_file_has_its_licence_line():
    for folder in (
        "android_bench",
        "tflite_opt",
        "scripts",
        "models",
        "tests",
    ):
        for path in (_ROOT / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            if text:
                first = text.splitlines()[0]
                assert first == "# SPDX-License-Identifier: Apache-2.0", path
