# SPDX-License-Identifier: Apache-2.0
"""Times a `.tflite` in a plain loop of C: what a native tool would do.

Run as `python -m tflite_opt.studies.native_loop MODEL WARMUP_RUNS NUM_RUNS`;
prints the median in milliseconds. The loop is compiled on the spot and calls
LiteRT's library itself, so nothing of Python is in what it times.
"""

import ctypes
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
from typing import Any

import numpy as np

from tflite_opt.records import errors
from tflite_opt.tflite import (
    compiled_model,
    entry_point,
    flatbuffer,
    litert_library,
    sample_inputs,
)

_COMPILERS = ("cc", "gcc", "clang")
_SOURCE = """
#include <stddef.h>
#include <stdint.h>
#include <time.h>

typedef int (*Run)(void*, size_t, size_t, void**, size_t, void**);

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int time_runs(Run run, void* model, size_t signature, size_t num_inputs,
              void** inputs, size_t num_outputs, void** outputs,
              int warmup_runs, int num_runs, int64_t* samples_ns) {
  for (int i = -warmup_runs; i < num_runs; ++i) {
    int64_t start = now();
    int status =
        run(model, signature, num_inputs, inputs, num_outputs, outputs);
    int64_t end = now();
    if (status) return status;
    if (i >= 0) samples_ns[i] = end - start;
  }
  return 0;
}
"""


def median_ms(path: pathlib.Path, warmup_runs: int, num_runs: int) -> float:
    """Times a file in this process.

    Args:
        path: A `.tflite` without custom operations; one thread runs it.
        warmup_runs: Runs that are not counted.
        num_runs: Runs that are.

    Raises:
        InputError: If there is no C compiler.
        ModelError: If LiteRT's library cannot run the file.
    """
    library = litert_library.Library()
    model = compiled_model.CompiledModel(library, path)
    read = flatbuffer.read(path)
    entry = entry_point.find(path, read)
    model.set_inputs(sample_inputs.make(read, entry, seed=0))
    samples = np.zeros(num_runs, np.int64)
    status = _compile().time_runs(
        library.function("RunCompiledModel"),
        *model.run_arguments(),
        ctypes.c_int(warmup_runs),
        ctypes.c_int(num_runs),
        samples.ctypes.data_as(ctypes.c_void_p),
    )
    if status:
        raise errors.ModelError(
            "LiteRT's library must be able to run the model. Received: status "
            f"{status}."
        )
    return float(np.median(samples)) / 1e6


def launch(path: pathlib.Path, warmup_runs: int, num_runs: int) -> float:
    """Does the same in a process of its own.

    Raises:
        BenchmarkError: If it fails.
    """
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            __name__,
            *(str(path), str(warmup_runs), str(num_runs)),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise errors.BenchmarkError(
            f"The native loop failed on {path.name!r}: "
            f"{lines[-1] if lines else f'exit code {done.returncode}'}"
        )
    return float(json.loads(done.stdout))


def _compile() -> Any:
    compiler = next((x for x in _COMPILERS if shutil.which(x)), None)
    if compiler is None:
        raise errors.InputError(
            "A native loop needs a C compiler. Received: none of "
            f"{', '.join(_COMPILERS)} on the path."
        )
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "loop.c"
        source.write_text(_SOURCE)
        target = source.with_suffix(".so")
        subprocess.run(
            [compiler, "-O2", "-shared", "-fPIC", source, "-o", target],
            check=True,
        )
        return ctypes.CDLL(str(target))


if __name__ == "__main__":
    found = median_ms(pathlib.Path(sys.argv[1]), *map(int, sys.argv[2:]))
    sys.stdout.write(json.dumps(found))
