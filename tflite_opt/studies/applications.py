# SPDX-License-Identifier: Apache-2.0
"""Stock models of both generations of Keras, from their file to int8.

Weights are random, so agreement of predictions says little; judged are the
noise that int8 adds to the outputs, and that predictions still differ from
image to image.
"""

import pathlib
import sys
import tempfile

import numpy as np

from tflite_opt import recipe
from tflite_opt.conversion import context, convert, job
from tflite_opt.data import dataset as dataset_lib
from tflite_opt.data import representative, sources
from tflite_opt.records import (
    artifact,
    facts,
    files,
    model_spec,
    run_directory,
    variants,
)
from tflite_opt.studies import signal, stock_model, study
from tflite_opt.techniques import full_integer
from tflite_opt.tflite import facts as facts_reader
from tflite_opt.tflite import interpreter

TITLE = "Models of keras.applications, from their file to int8"

GENERATIONS: dict[stock_model.Generation, str] = {
    "keras2": ".h5",
    "keras3": ".keras",
}
# What `preprocess_input` of each module does; "none" where the model does it.
PREPROCESSING: dict[str, dataset_lib.Preprocessing] = {
    "MobileNet": "symmetric",
    "MobileNetV2": "symmetric",
    "MobileNetV3Small": "none",
    "EfficientNetB0": "none",
    "EfficientNetV2B0": "none",
    "NASNetMobile": "symmetric",
    "ResNet50": "caffe",
    "ResNet50V2": "symmetric",
    "DenseNet121": "imagenet_mean_std",
    "InceptionV3": "symmetric",
    "ConvNeXtTiny": "none",
}
_NUM_IMAGES = 320
_SPLIT = "test"


def cells(
    source: str, image_size: int, work_dir: pathlib.Path
) -> dict[str, study.Cell]:
    """Returns a cell for each model and generation.

    Args:
        source: A data set of images.
        image_size: Height and width of the models' inputs.
        work_dir: Keeps the models.
    """

    def cell(generation: stock_model.Generation, name: str) -> study.Cell:
        spec = dataset_lib.DataSpec(
            source=source,
            image_size=(image_size, image_size),
            preprocessing=PREPROCESSING[name],
            limit=_NUM_IMAGES,
        )
        return lambda: measure(generation, name, spec, work_dir)

    return {
        f"{name}.{generation}": cell(generation, name)
        for name in PREPROCESSING
        for generation in GENERATIONS
    }


def measure(
    generation: stock_model.Generation,
    name: str,
    data: dataset_lib.DataSpec,
    work_dir: pathlib.Path,
) -> dict[str, float]:
    """Takes one model to int8 and compares the outputs.

    Raises:
        ConversionError: If it cannot be quantized.
        VerificationError: If a float tensor is left inside.
    """
    path = work_dir / f"{name}.{generation}{GENERATIONS[generation]}"
    if not path.exists():
        _write_model(generation, name, data, path)
    with tempfile.TemporaryDirectory(dir=work_dir) as folder:
        run = run_directory.RunDirectory.create(
            pathlib.Path(folder) / "run", command="measure_applications"
        )
        loaded = sources.load(data)
        (float32,), _ = convert.convert(
            convert.Request(
                model=model_spec.ModelSpec(
                    artifact=artifact.describe(path, format="keras")
                ),
                data=data,
                data_fingerprint=loaded.fingerprint(),
                recipes=recipe.parse_names(["float32"]),
                reference_splits=(_SPLIT,),
            ),
            run,
        )
        int8_path = run.path("int8.tflite")
        int8 = _quantize(float32, loaded, run, int8_path)
        layout = job.Layout(root=run.root)
        opened = model_spec.OpenedModel.load(layout.opened, run.root)
        (expected,) = files.read_npz(layout.original_outputs(_SPLIT)).values()
        inputs = representative.match_inputs(
            loaded[_SPLIT].inputs, interpreter.load(int8_path).inputs
        )
        (outputs,) = interpreter.predict(int8_path, inputs).values()
    mean = expected.mean(axis=0)
    return {
        "is_trainable": float(opened.trainable),
        "rebuilt_difference": opened.rebuilt_difference or 0.0,
        "float32_bytes": float32.artifact.size_bytes,
        "int8_bytes": int8.size_bytes,
        "quantized_weight_fraction": int8.quantized_weight_fraction,
        "signal_to_noise_db": signal.to_noise_db(expected, outputs),
        "variation_to_noise_db": signal.to_noise_db(
            expected - mean, outputs - mean
        ),
        "distinct_predictions": len(np.unique(outputs.argmax(axis=1))),
        "images": len(outputs),
    }


def _quantize(
    float32: variants.Variant,
    data: dataset_lib.Dataset,
    run: run_directory.RunDirectory,
    path: pathlib.Path,
) -> facts.ModelFacts:
    """Writes the int8 file and proves that it is one.

    Not by the pipeline's own conversion: that also demands that two kinds of
    kernels agree on predictions, which random weights leave to chance.
    """
    layout = job.Layout(root=run.root)
    specs = float32.facts.signatures[0].inputs
    technique = full_integer.FullInteger(
        inference_input_type="float32", inference_output_type="float32"
    )
    converted = technique.convert(
        context.FrozenModel(
            layout.float_model,
            float32.facts,
            layout.saved_model,
            representative.representative_samples(data["calibration"], specs),
        )
    )
    files.write_bytes(path, converted.content)
    found = facts_reader.read_facts(path)
    technique.verify(found)
    return found


def _write_model(
    generation: stock_model.Generation,
    name: str,
    data: dataset_lib.DataSpec,
    path: pathlib.Path,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        request = pathlib.Path(folder) / "request.json"
        stock_model.Request(
            generation=generation, name=name, data=data, path=path
        ).save(request)
        study.run_command(
            [sys.executable, "-m", stock_model.__name__, str(request)]
        )
