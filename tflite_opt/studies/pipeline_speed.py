# SPDX-License-Identifier: Apache-2.0
"""How fast and how small the pipeline itself is, beside the tutorial way.

Both sides run in turn on the same machine, as whole processes where a user
starts a process. Excluded: training the models that both start from, and
writing the samples.
"""

import dataclasses
import json
import os
import pathlib
import sys
import tempfile
import time
from collections.abc import Sequence

import numpy as np

from tflite_opt.benchmark import launching
from tflite_opt.data import dataset as dataset_lib
from tflite_opt.data import sources
from tflite_opt.records import artifact, benchmark
from tflite_opt.studies import study, tutorial
from tflite_opt.tflite import interpreter

TITLE = "Speed and memory of the pipeline"
_CONVERSION_SAMPLES = 100
_TRAINED = ("prune50_int8", "prune80_int8")
_TRAINING_LIMIT = 20_000
_TRAINING_EPOCHS = 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setup:
    """What is measured.

    Attributes:
        programs: Package of the programs: `scripts`, or `tflite_opt.scripts`.
        converted_model: Keras model of the conversion cell.
        samples: `.npz` data set of that model.
        evaluated_model: int8 `.tflite` of the evaluation cell.
        trained_model: Keras model of the training cell.
        images: Data set of those two.
        large_model: A `.tflite` of about 14 MB.
        rounds: How often both sides run, in turn.
    """

    programs: str
    converted_model: pathlib.Path
    samples: pathlib.Path
    evaluated_model: pathlib.Path
    trained_model: pathlib.Path
    images: dataset_lib.DataSpec
    large_model: pathlib.Path
    rounds: int


def prepare_in_child(folder: pathlib.Path, data_cache: str | None) -> None:
    """Makes the models of the study, in a process that imports TensorFlow."""
    places = [str(folder)] + ([data_cache] if data_cache else [])
    study.run_command(
        [sys.executable, "-m", "tflite_opt.studies.prepare", *places]
    )


def cells(setup: Setup) -> dict[str, study.Cell]:
    """Returns the study's cells."""
    return {
        "conversion": lambda: measure_conversion(setup),
        "training": lambda: measure_training(setup),
        "evaluation": lambda: measure_evaluation(setup),
        "start": lambda: measure_start(setup),
        "memory": lambda: measure_memory(setup),
    }


def measure_conversion(setup: Setup) -> dict[str, float]:
    """Seven variants, from process start to the last file."""
    ours, single, theirs, per_variant = [], [], [], []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with np.load(setup.samples) as arrays:
            samples = arrays["x_train"][:_CONVERSION_SAMPLES]
        np.savez(folder / "samples.npz", samples=samples)
        for _ in range(setup.rounds):
            ours.append(_convert(setup, tutorial.VARIANTS, folder))
            single.append(_convert(setup, tutorial.VARIANTS[:1], folder))
            seconds, output = _timed(
                "tflite_opt.studies.tutorial",
                setup.converted_model,
                folder / "samples.npz",
                folder,
            )
            theirs.append(seconds)
            by_name = json.loads(output.strip().splitlines()[-1])
            per_variant.append(
                float(np.mean([by_name[v] for v in tutorial.VARIANTS[1:]]))
            )
    further = (np.median(ours) - np.median(single)) / (
        len(tutorial.VARIANTS) - 1
    )
    return {
        "ours_s": float(np.median(ours)),
        "tutorial_s": float(np.median(theirs)),
        "times_faster": float(np.median(theirs) / np.median(ours)),
        "ours_further_variant_s": float(further),
        "tutorial_further_variant_s": float(np.median(per_variant)),
        "times_faster_further_variant": float(np.median(per_variant) / further),
    }


def _convert(
    setup: Setup, recipes: Sequence[str], folder: pathlib.Path
) -> float:
    seconds, _ = _timed(
        f"{setup.programs}.convert",
        f"--model={setup.converted_model}",
        f"--dataset=npz:{setup.samples}",
        f"--num_calibration={_CONVERSION_SAMPLES}",
        f"--recipes={','.join(recipes)}",
        f"--output_dir={folder / 'ours'}",
        "--overwrite",
    )
    return seconds


def measure_training(setup: Setup) -> dict[str, float]:
    """Two recipes that train, one by one and at the same time."""
    seconds: dict[int, list[float]] = {1: [], 2: []}
    data = setup.images
    place = [f"--data_cache={data.data_cache}"] if data.data_cache else []
    with tempfile.TemporaryDirectory() as name:
        for _ in range(setup.rounds):
            for processes, found in seconds.items():
                elapsed, _ = _timed(
                    f"{setup.programs}.convert",
                    f"--model={setup.trained_model}",
                    f"--dataset={data.source}",
                    *place,
                    f"--limit={_TRAINING_LIMIT}",
                    f"--recipes={','.join(_TRAINED)}",
                    f"--finetune_epochs={_TRAINING_EPOCHS}",
                    f"--training_processes={processes}",
                    f"--output_dir={name}/run",
                    "--overwrite",
                )
                found.append(elapsed)
    one, two = (float(np.median(found)) for found in seconds.values())
    return {
        "one_process_s": one,
        "two_processes_s": two,
        "times_faster": one / two,
    }


def measure_evaluation(setup: Setup) -> dict[str, float]:
    """Predictions on a whole test split; loading the data is excluded."""
    test = sources.load(setup.images)["test"]
    images = next(iter(test.inputs.values()))
    path = setup.evaluated_model
    (name,) = (spec.name for spec in interpreter.load(path).inputs)
    seconds: dict[str, list[float]] = {"loop": [], "1": [], "2": []}
    for _ in range(setup.rounds):
        start = time.perf_counter()
        expected = tutorial.predict(path, images)
        seconds["loop"].append(time.perf_counter() - start)
        for workers in (1, 2):
            start = time.perf_counter()
            outputs = interpreter.predict(
                path, {name: images}, num_workers=workers
            )
            seconds[str(workers)].append(time.perf_counter() - start)
            found = next(iter(outputs.values())).argmax(axis=-1)
            if not np.array_equal(found, expected):
                raise AssertionError("Predictions differ from the loop's.")
    median = {key: float(np.median(values)) for key, values in seconds.items()}
    return {
        "images": float(len(images)),
        "tutorial_loop_s": median["loop"],
        "one_worker_s": median["1"],
        "two_workers_s": median["2"],
        "times_faster_one_worker": median["loop"] / median["1"],
        "times_faster_two_workers": median["loop"] / median["2"],
    }


def measure_start(setup: Setup) -> dict[str, float]:
    """`inspect_model` on a small file against `import tensorflow`."""
    ours, theirs = [], []
    for _ in range(setup.rounds):
        ours.append(
            _timed(
                f"{setup.programs}.inspect_model",
                setup.evaluated_model,
                "--nodelegation",
            )[0]
        )
        start = time.perf_counter()
        study.run_command([sys.executable, "-c", "import tensorflow"])
        theirs.append(time.perf_counter() - start)
    return {
        "inspect_model_s": float(np.median(ours)),
        "import_tensorflow_s": float(np.median(theirs)),
        "times_faster": float(np.median(theirs) / np.median(ours)),
    }


def measure_memory(setup: Setup) -> dict[str, float]:
    """Peak resident memory of whole processes, and growth of evaluation."""
    options = benchmark.RuntimeOptions(
        warmup_runs=1, warmup_min_secs=0, num_runs=5, min_secs=0
    )
    model = artifact.describe(setup.large_model, format="tflite")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        job = launching.prepare(model, options, folder / "inputs.npz")
        launch = _peak_bytes(
            "tflite_opt.benchmark.launch",
            json.dumps(launching.specification(job)),
        )
        inspect = _peak_bytes(
            f"{setup.programs}.inspect_model", setup.large_model
        )
        before = _resident_bytes()
        _convert(setup, tutorial.VARIANTS[:4], folder)
        after = _resident_bytes()
    return {
        "model_bytes": float(setup.large_model.stat().st_size),
        "benchmark_launch_peak_bytes": launch,
        "inspect_model_peak_bytes": inspect,
        "evaluation_growth_bytes_per_example": _evaluation_growth(setup),
        "growth_by_conversion_bytes": float(after - before),
    }


def _evaluation_growth(setup: Setup) -> float:
    """Bytes that each further example adds, its own pixels excluded."""
    test = sources.load(setup.images)["test"]
    images = next(iter(test.inputs.values()))
    path = setup.evaluated_model
    (name,) = (spec.name for spec in interpreter.load(path).inputs)
    interpreter.predict(path, {name: images[:100]}, num_workers=2)
    resident = []
    counts = (len(images) // 5, len(images))
    for count in counts:
        outputs = interpreter.predict(
            path, {name: images[:count]}, num_workers=2
        )
        resident.append(_resident_bytes())
        del outputs
    return (resident[1] - resident[0]) / (counts[1] - counts[0])


def _timed(module: str, *arguments: object) -> tuple[float, str]:
    start = time.perf_counter()
    output = study.run_command(
        [sys.executable, "-m", module, *map(str, arguments)]
    )
    return time.perf_counter() - start, output


# A process starts with the high-water mark of the one that forked it, so the
# one that forks must be small.
_PEAK_OF_CHILDREN = (
    "import resource, subprocess, sys\n"
    "done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)\n"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    "sys.exit(done.returncode)\n"
)


def _peak_bytes(module: str, *arguments: object) -> float:
    """Returns the largest resident memory of a process and its children."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    output = study.run_command(
        [sys.executable, "-S", "-c", _PEAK_OF_CHILDREN, *command]
    )
    return float(output) * 1024


def _resident_bytes() -> int:
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
