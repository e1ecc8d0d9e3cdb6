# SPDX-License-Identifier: Apache-2.0
"""Makes models whose amount of work is known, of equal layers.

Run as `python -m tflite_opt.studies.equal_layers FOLDER LAYERSxROWS...`, in a
process of its own: it imports TensorFlow. What is there already is kept.
"""

import pathlib
import sys
import tempfile
from collections.abc import Sequence

from tflite_opt.conversion import tflite_converter
from tflite_opt.keras_models import freezing
from tflite_opt.records import artifact, conversion, files
from tflite_opt.studies import study

# Enough rows that arithmetic, not reading the weights, is the work.
ROWS = 32
_UNITS = 192

Size = tuple[int, int]


def prepare_in_child(
    folder: pathlib.Path, sizes: Sequence[Size]
) -> list[artifact.Artifact]:
    """Makes what is missing, in a process that imports TensorFlow.

    Args:
        folder: Gets the files.
        sizes: Numbers of layers and of rows of each model.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [f"{num_layers}x{rows}" for num_layers, rows in sizes]
    study.run_command([sys.executable, "-m", __name__, str(folder), *wanted])
    return [
        artifact.describe(path(folder, size), format="tflite") for size in sizes
    ]


def path(folder: pathlib.Path, size: Size) -> pathlib.Path:
    """Returns the place of the model with that many layers and rows."""
    return folder / f"dense_{size[0]}x{size[1]}.tflite"


def write(folder: pathlib.Path, size: Size) -> None:
    """Writes a float32 model of equal fully connected layers.

    Args:
        folder: Gets the file.
        size: Number of layers, each a product of matrices of rows x 192 and
            192 x 192, and of rows.
    """
    import tf_keras

    num_layers, rows = size
    inputs = tf_keras.Input((rows, _UNITS))
    outputs = inputs
    for _ in range(num_layers):
        outputs = tf_keras.layers.Dense(_UNITS, activation="relu")(outputs)
    with tempfile.TemporaryDirectory() as name:
        frozen = pathlib.Path(name)
        freezing.freeze(tf_keras.Model(inputs, outputs), frozen)
        content = tflite_converter.convert(
            frozen, conversion.ConverterOptions(), {}
        )
    files.write_bytes(path(folder, size), content)


def _main(arguments: list[str]) -> int:
    folder = pathlib.Path(arguments[0])
    for argument in arguments[1:]:
        num_layers, rows = map(int, argument.split("x"))
        if not path(folder, (num_layers, rows)).exists():
            write(folder, (num_layers, rows))
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
