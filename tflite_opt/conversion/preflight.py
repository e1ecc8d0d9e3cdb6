# SPDX-License-Identifier: Apache-2.0
"""What would become of a model, found out before anything is trained.

Works in a child process: what crashes there costs the rest of the answer, not
the answer so far. Samples for calibration are random, for nothing but the
structure of a quantized file is looked at. Imports no TensorFlow.
"""

import dataclasses
import pathlib
import tempfile
from collections.abc import Iterator
from typing import Any

from tflite_opt import child_process
from tflite_opt.conversion import remedies
from tflite_opt.data import dataset as dataset_lib
from tflite_opt.keras_models import source
from tflite_opt.records import (
    errors,
    model_spec,
    preflight,
    serialization,
    variants,
)

_WORKER = "tflite_opt.conversion.preflight_worker"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request(serialization.Record):
    """Whose fate to find out.

    Attributes:
        choice: What the user names; a reference model is not trained.
        model: What that is; None for a reference model, or if it was not
            looked at yet.
        data: Decides the shapes of a reference model.
        uses_data: Whether open dimensions get the sizes that the data have.
        dynamic_dimension: Size of all other open dimensions.
        timeout_s: Longest time for one step.
    """

    choice: source.Choice
    data: dataset_lib.DataSpec
    model: model_spec.ModelSpec | None = None
    uses_data: bool = False
    dynamic_dimension: int | None = None
    timeout_s: float = 600.0

    def with_model(self) -> "Request":
        """Returns it with what the user named described, which reads it all.

        Raises:
            ModelError: If there is no such model.
        """
        if self.model is not None or self.choice.must_be_trained:
            return self
        return dataclasses.replace(self, model=source.describe(self.choice))


def run(
    request: Request, log: pathlib.Path | None = None
) -> preflight.Preflight:
    """Finds out what each technique would do to a model.

    Args:
        request: The model.
        log: Gets what libraries print; None throws it away.

    Raises:
        ModelError: If there is no such model, or it cannot be opened.
    """
    request = request.with_model()
    name = request.model.name if request.model else str(request.choice.model)
    found = preflight.Preflight(model=name, keras=preflight.KerasSupport())
    step = "load"
    try:
        for event in _events(request, log):
            if event["event"] == "aborted":
                raise errors.from_child(**event["error"])
            if event["event"] == "step":
                step = event["name"]
            else:
                found = _add(found, step, event)
    except child_process.ChildError as died:
        return _add_failure(found, step, f"{died}.")
    return found


def _events(
    request: Request, log: pathlib.Path | None
) -> Iterator[dict[str, Any]]:
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
    # The child writes its files beside the log: there is room for a run.
    with tempfile.TemporaryDirectory(dir=log and log.parent) as folder:
        path = pathlib.Path(folder) / "request.json"
        request.save(path)
        yield from child_process.events(
            _WORKER,
            [str(path)],
            log=log or path.with_name("log.txt"),
            timeout_s=request.timeout_s,
        )


def _add(
    found: preflight.Preflight, step: str, event: dict[str, Any]
) -> preflight.Preflight:
    """Returns what was found so far with what an event tells."""
    match event["event"]:
        case "keras":
            keras = preflight.KerasSupport.from_json(event["content"])
            return dataclasses.replace(found, keras=keras)
        case "uncovered":
            names = {name: tuple(x) for name, x in event["content"].items()}
            return dataclasses.replace(found, uncovered=names)
        case "file":
            file = preflight.ConvertedFile.from_json(event["content"])
            return dataclasses.replace(found, files=(*found.files, file))
        case "failed":
            return _add_failure(found, step, event["message"])
    raise ValueError(f"Unknown event: {event}")


def _add_failure(
    found: preflight.Preflight, step: str, message: str
) -> preflight.Preflight:
    remedy = remedies.remedy_for(message)
    uncovered = found.uncovered.get(step)
    if uncovered and not remedy:
        remedy = (
            f"Replace {', '.join(uncovered)}, which the back ends do not "
            "quantize, or use dynamic_range."
        )
    failure = variants.Failure(
        model=found.model,
        name=step,
        technique=step,
        message=" ".join(message.split()),
        remedy=remedy,
    )
    return dataclasses.replace(found, failures=(*found.failures, failure))
