# SPDX-License-Identifier: Apache-2.0
"""Runs the commands that the README gives for common needs, and keeps outputs.

Some start from what `make demo` leaves in `runs/demo`, or from an earlier need.
"""

import logging
import os
import pathlib
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping

from tflite_opt import child_process
from tflite_opt.records import errors, run_directory, transcript
from tflite_opt.studies import study

_LOG = logging.getLogger(__name__)

_DEMO = "runs/demo/artifacts"
_ON_PHONE = (
    "python -m scripts.benchmark_android "
    "--model=runs/slower/artifacts/float32.tflite "
    "--benchmark_binary=$BENCHMARK_MODEL --output_dir=runs/phone/{}"
)

# In the README's order.
NEEDS: Mapping[str, tuple[str, ...]] = {
    "lost_accuracy": (
        "python -m scripts.optimize --model=ds_cnn "
        "--model_options=filters=16,normalize_last=true,epsilon=1e-6 "
        "--learning_rate=2e-2 --epochs=12 --recipes=int8,auto_int8 "
        "--max_accuracy_drop=0.003 --output_dir=runs/lost",
    ),
    "slower_than_float": (
        "python -m scripts.convert --model=mobilenet_v3_small --epochs=1 "
        "--limit=200 --recipes=int8 --output_dir=runs/slower",
        "python -m scripts.compare runs/slower/artifacts/float32.tflite "
        "runs/slower/artifacts/int8.tflite --output_dir=runs/slower/compared",
        "python -m scripts.inspect_model runs/slower/artifacts/int8.tflite "
        "--lint",
    ),
    "too_big": (
        "python -m scripts.optimize --objective=size --output_dir=runs/small "
        "--recipes=int8,int4,prune80_int8,cluster16_int8",
    ),
    "slower_on_the_phone": (
        _ON_PHONE.format("yesterday"),
        _ON_PHONE.format("today"),
        "python -m scripts.compare runs/phone/yesterday runs/phone/today",
    ),
    "which_of_these": (
        "python -m scripts.evaluate --output_dir=runs/which "
        f"{_DEMO}/{{float32,float16,dynamic_range,int8,int8_uint8_io,int16x8,"
        "weight_only_int8,int4}.tflite",
        "python -m scripts.benchmark --output_dir=runs/which_faster "
        f"{_DEMO}/{{float32,float16,dynamic_range,int8,int8_uint8_io,int16x8,"
        "weight_only_int8,int4}.tflite",
    ),
}


def run(
    folder: pathlib.Path, *, redo: bool
) -> dict[str, transcript.Transcript | None]:
    """Runs what is missing and keeps each need at once.

    Args:
        folder: Holds one record for each finished need.
        redo: Whether finished ones are run again.

    Returns:
        All needs in order; None for one whose commands cannot run here.

    Raises:
        InputError: If a command says that its input is bad.
    """
    found: dict[str, transcript.Transcript | None] = {}
    for name, commands in NEEDS.items():
        path = folder / f"{name}.json"
        if redo or not path.exists():
            if any("$BENCHMARK_MODEL" in text for text in commands) and (
                "BENCHMARK_MODEL" not in os.environ
            ):
                _LOG.warning("%s: left out; it needs $BENCHMARK_MODEL", name)
            else:
                _LOG.info("%s: running", name)
                _transcribe(name, commands).save(path)
        found[name] = (
            transcript.Transcript.load(path) if path.exists() else None
        )
    return found


def _transcribe(name: str, commands: tuple[str, ...]) -> transcript.Transcript:
    for text in commands:
        _forget(text)
    return transcript.Transcript(
        name=name,
        commands=tuple(_command(text) for text in commands),
        device=study.device(),
        versions=run_directory.package_versions(),
        commit=study.commit(),
    )


def _forget(text: str) -> None:
    """Removes an earlier run, so that the command does all of its work."""
    for word in text.split():
        name, _, value = word.partition("=")
        if name == "--output_dir":
            shutil.rmtree(value, ignore_errors=True)


def _command(text: str) -> transcript.Command:
    # `python` is this one.
    path = f"{pathlib.Path(sys.executable).parent}{os.pathsep}"
    environment = child_process.environment()
    started = time.perf_counter()
    done = subprocess.run(
        ["bash", "-c", text],
        env=environment | {"PATH": path + environment["PATH"]},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 2:
        last = done.stderr.strip().splitlines()[-1]
        raise errors.InputError(f"{last.removeprefix('error: ')} ({text})")
    return transcript.Command(
        text=text,
        exit_code=done.returncode,
        stdout=done.stdout.replace(f"{pathlib.Path.cwd()}/", ""),
        seconds=round(time.perf_counter() - started, 1),
    )
