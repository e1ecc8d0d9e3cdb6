# SPDX-License-Identifier: Apache-2.0
"""Makes two models that differ by a known amount of work: 20 and 21 layers.

Run as `python -m tflite_opt.studies.equal_layers FOLDER`, in a process of its
own: it imports TensorFlow. What is there already is kept.
"""

import pathlib
import sys
import tempfile

from tflite_opt.conversion import tflite_converter
from tflite_opt.keras_models import freezing
from tflite_opt.records import conversion, files

LAYERS = 20
# Enough rows that arithmetic, not reading the weights, is the work.
_ROWS = 32
_UNITS = 192


def path(folder: pathlib.Path, num_layers: int) -> pathlib.Path:
    """Returns the place of the model with that many layers."""
    return folder / f"dense_{num_layers}.tflite"


def write(folder: pathlib.Path, num_layers: int) -> None:
    """Writes a float32 model of equal fully connected layers.

    Args:
        folder: Gets the file.
        num_layers: Each is a product of matrices of 32 x 192 and 192 x 192.
    """
    import tf_keras

    inputs = tf_keras.Input((_ROWS, _UNITS))
    outputs = inputs
    for _ in range(num_layers):
        outputs = tf_keras.layers.Dense(_UNITS, activation="relu")(outputs)
    with tempfile.TemporaryDirectory() as name:
        frozen = pathlib.Path(name)
        freezing.freeze(tf_keras.Model(inputs, outputs), frozen)
        content = tflite_converter.convert(
            frozen, conversion.ConverterOptions(), {}
        )
    files.write_bytes(path(folder, num_layers), content)


def _main(arguments: list[str]) -> int:
    folder = pathlib.Path(arguments[0])
    for num_layers in (LAYERS, LAYERS + 1):
        if not path(folder, num_layers).exists():
            write(folder, num_layers)
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
