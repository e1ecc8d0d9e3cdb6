# SPDX-License-Identifier: Apache-2.0
"""Makes the models that the study of the pipeline's speed works on.

Run as `python -m tflite_opt.studies.prepare FOLDER [DATA_CACHE]`, in a process
of its own: it imports TensorFlow. What is there already is kept.
"""

import pathlib
import sys
import tempfile

import numpy as np

from tflite_opt.conversion import litert_quantizer, tflite_converter
from tflite_opt.data import dataset as dataset_lib
from tflite_opt.data import representative, sources
from tflite_opt.keras_models import (
    freezing,
    loading,
    reference,
    train_reference,
)
from tflite_opt.records import conversion, errors, files, training
from tflite_opt.tflite import facts

_SIDE = 96
_NUM_TRAIN = 640
_NUM_TEST = 160
_NUM_CALIBRATION = 100


class Places:
    """The files of the study in its folder."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.samples = folder / "digits96.npz"
        self.mobilenet = folder / "mobilenet_v2.h5"
        self.resnet = folder / "resnet8.h5"
        self.resnet_int8 = folder / "resnet8_int8.tflite"
        self.large = folder / "mobilenet_v2_224.tflite"


def images(data_cache: str | None) -> dataset_lib.DataSpec:
    """Returns the data set of the evaluation cell."""
    return dataset_lib.DataSpec(source="fashion_mnist", data_cache=data_cache)


def prepare(folder: pathlib.Path, data_cache: str | None) -> None:
    """Makes what is missing."""
    places = Places(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if not places.samples.exists():
        _write_digits(places.samples)
    if not places.mobilenet.exists():
        # Long enough that batch normalization has seen data.
        _train("mobilenet_v2", f"npz:{places.samples}", places.mobilenet)
    if not places.resnet_int8.exists():
        spec = images(data_cache)
        if not places.resnet.exists():
            _train("resnet8", spec.source, places.resnet, data_cache)
        _quantize(places.resnet, spec, places.resnet_int8)
    if not places.large.exists():
        model = reference.build("mobilenet_v2", (224, 224, 3), 1000)
        files.write_bytes(places.large, _float_model(model))


def _write_digits(path: pathlib.Path) -> None:
    data = sources.load(dataset_lib.DataSpec(source="digits"))
    arrays = {}
    for split, count in (("train", _NUM_TRAIN), ("test", _NUM_TEST)):
        pixels = data[split].inputs["image"][:count]
        enlarged = np.kron(pixels, np.ones((1, _SIDE // 8, _SIDE // 8, 1)))
        arrays[f"x_{split}"] = np.repeat(enlarged, 3, -1).astype(np.float32)
        arrays[f"y_{split}"] = data[split].class_indices()[:count]
    files.write_npz(path, arrays)


def _train(
    model: str,
    source: str,
    path: pathlib.Path,
    data_cache: str | None = None,
) -> None:
    train_reference.train(
        train_reference.Request(
            model=model,
            model_options=(
                {"width_multiplier": 0.35} if model == "mobilenet_v2" else {}
            ),
            data=dataset_lib.DataSpec(
                source=source,
                data_cache=data_cache,
                limit=6000,
                num_calibration=_NUM_CALIBRATION,
            ),
            options=training.TrainingOptions(epochs=2, batch_size=32),
            path=path,
            overwrite=True,
        )
    )


def _float_model(model: object) -> bytes:
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        freezing.freeze(model, folder)
        return tflite_converter.convert(
            folder, conversion.ConverterOptions(), {}
        )


def _quantize(
    model_path: pathlib.Path, spec: dataset_lib.DataSpec, path: pathlib.Path
) -> None:
    with tempfile.TemporaryDirectory() as name:
        float_path = pathlib.Path(name) / "float.tflite"
        float_path.write_bytes(_float_model(loading.load(model_path)))
        found = facts.read_facts(float_path, delegation=False)
        samples = representative.representative_samples(
            sources.load(spec)["calibration"], found.signatures[0].inputs
        )
        rule = conversion.QuantizerRule(operation="*", mode="static")
        ranges = litert_quantizer.calibrate(float_path, samples)
        content = litert_quantizer.quantize(float_path, [rule], ranges.values)
    files.write_bytes(path, content)


def _main(arguments: list[str]) -> int:
    try:
        prepare(
            pathlib.Path(arguments[0]),
            arguments[1] if len(arguments) > 1 else None,
        )
    except errors.TfliteOptError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
