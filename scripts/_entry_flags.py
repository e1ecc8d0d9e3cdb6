# SPDX-License-Identifier: Apache-2.0
"""The flags that say what of a .tflite is run, and on which inputs."""

import dataclasses
import pathlib

from absl import flags

from tflite_opt.records import benchmark, errors, files

from . import _shape_flags

_SIGNATURE = flags.DEFINE_string(
    "signature", "", "Which signature to run; default: the main graph."
)
_INPUT_NPZ = flags.DEFINE_string(
    "input_npz",
    None,
    "Inputs by name, shape (n, ...), of which the first example is run; "
    "default: seeded values that fit the dtypes.",
)


def with_entry(
    options: benchmark.RuntimeOptions,
) -> benchmark.RuntimeOptions:
    """Returns options that also say what to run.

    Raises:
        InputError: If the file of inputs is missing, or a shape is none.
    """
    return dataclasses.replace(
        options,
        signature=_SIGNATURE.value,
        input_shapes=_shape_flags.input_shapes(),
        dynamic_dimension=_shape_flags.dynamic_dimension(),
        inputs=_input_file(),
    )


def _input_file() -> benchmark.InputFile | None:
    if _INPUT_NPZ.value is None:
        return None
    path = pathlib.Path(_INPUT_NPZ.value).expanduser().resolve()
    if not path.is_file():
        raise errors.InputError(
            "`--input_npz` must be a file. "
            f"Received: {_INPUT_NPZ.value!r}, which is not there."
        )
    return benchmark.InputFile(path=path, sha256=files.sha256_of_file(path))
