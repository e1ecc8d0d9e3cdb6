# SPDX-License-Identifier: Apache-2.0
"""A small run with everything that a page can show, and hostile names."""

import dataclasses
import pathlib

import numpy as np

from tests import factories
from tests.ladder import made
from tflite_opt.records import (
    compression,
    delegation,
    energy,
    facts,
    files,
    ladder,
    op_profile,
    report,
    run_directory,
    tensor_errors,
    training,
    variants,
    weight_values,
)
from tflite_opt.records import machine as machine_record
from tflite_opt.report import rows

HOSTILE = "</script><img src=x onerror=alert(1)>"
MODEL = "<img src=x onerror=alert(1)>.h5"
MANIFEST = run_directory.RunManifest(
    command="python -m scripts.optimize --output_dir=runs/x",
    versions={"numpy": "2"},
    stages={
        "freeze": run_directory.StageEntry(
            key="k", inputs="{}", outputs={HOSTILE: "a" * 64}
        )
    },
)


def evidence(folder: pathlib.Path) -> list[rows.Evidence]:
    """Returns float32, an int8 one with all views, and one not measured."""
    return [
        _evidence("float32", 4000, 2.0, folder),
        dataclasses.replace(
            _evidence("int8", 1000, 1.0, folder),
            profiles=(_profile(),),
            errors=_errors(),
            ladder=_ladder(),
        ),
        dataclasses.replace(
            _evidence(HOSTILE, 2000, 1.5, folder), results=(), test=None
        ),
    ]


def content(loaded: list[rows.Evidence]) -> report.Report:
    """Returns the report on it; int8 is recommended."""
    chosen = report.Recommendation(
        name="int8",
        objective="balanced",
        max_accuracy_drop=0.005,
        drop=factories.drop(0.001),
        reason="4.00x smaller and 2.00x the speed of float32.",
        is_slower=False,
    )
    lines = [rows.row(item, loaded[0], chosen) for item in loaded]
    return report.Report(
        description=report.RunDescription(
            model=factories.tflite(path=pathlib.Path(MODEL)),
            dataset="digits",
            data_fingerprints={"test": "f" * 64},
            num_examples={"test": 450},
            recipes=("float32", "int8"),
            max_accuracy_drop=0.005,
            objective="balanced",
        ),
        recommendation=chosen,
        rows=tuple(rows.mark_pareto(lines)),
        failures=("int4: failed",),
        device="cpu",
        runtime="ai-edge-litert",
        options="3 launches",
        command=MANIFEST.command,
        versions={"numpy": "2"},
        data_check=factories.data_check(),
    )


def _evidence(
    name: str, size_bytes: int, median_ms: float, folder: pathlib.Path
) -> rows.Evidence:
    item = factories.tflite(
        name, size_bytes=size_bytes, produced_by=f"{name}() by a back end"
    )
    path = folder / f"{size_bytes}.npz"
    samples = np.linspace(median_ms, 2 * median_ms, 50) * 1e6
    files.write_npz(path, {"launch_0_ns": samples, "launch_1_ns": samples + 1})
    accuracy = 0.98 if name == "float32" else 0.979
    drop = None if name == "float32" else factories.drop(0.001, low=-0.0155)
    results = [
        factories.result(
            item,
            median_ms * factor,
            device=factories.device(model=model),
            samples_path=path,
            launches=tuple(
                dataclasses.replace(x, state=_state(index))
                for index, x in enumerate(factories.launches([median_ms] * 2))
            ),
            energy=_energy(median_ms),
        )
        for model, factor in (("desk", 1.0), ("phone", 3.0))
    ]
    return rows.Evidence(
        variant=_variant(item),
        validation=None,
        test=factories.evaluated(
            item, drop, "test", metrics=(factories.accuracy(accuracy),)
        ),
        results=tuple(results),
        failure=None,
        profiles=(),
        errors=None,
        ladder=None,
    )


def _ladder() -> ladder.Ladder:
    return ladder.Ladder(
        name="int8",
        target=ladder.Target(limit=0.003),
        rungs=(
            made.rung("int8", verdict="missed", loss=0.02),
            made.rung("rounding", outcome="failed", reason=HOSTILE),
            made.rung("bias_correction", verdict="met", loss=0.001),
        ),
        chosen="bias_correction",
        verdict="met",
        reason="bias_correction meets the target.",
    )


def _energy(median_ms: float) -> energy.EnergyEstimate:
    return energy.EnergyEstimate(
        energy_mj=3.0 * median_ms,
        power_mw=4000.0,
        idle_power_mw=1000.0,
        duration_s=10.0,
        num_samples=20,
        current_unit="microampere",
    )


def _state(index: int) -> machine_record.MachineState:
    return machine_record.MachineState(
        mhz_before=2000.0, mhz_after=2000.0, load_before=1.0 + index
    )


def _variant(item: factories.artifact.Artifact) -> variants.Variant:
    spread = weight_values.Spread(minimum=0, median=0, maximum=0)
    values = weight_values.WeightValues(
        zeros=8,
        unique_values=5,
        channel_axis=0,
        num_channels=4,
        zero_channels=0,
        channel_zero_fraction=spread,
        channel_unique_values=spread,
    )
    weight = factories.tensor(
        1,
        name="model/conv/Conv2D",
        role="weight",
        dtype="int8",
        constant_bytes=16,
        values=values,
    )
    found = factories.model_facts(
        weight,
        operators=(("CONV_2D", (1,)), (HOSTILE, ())),
        delegation=delegation.Delegation(
            delegate="xnnpack", partitions=1, delegated=((0,),), left_out=(1,)
        ),
    )
    first, second = found.operators
    found = dataclasses.replace(
        found, operators=(dataclasses.replace(first, macs=100), second)
    )
    return variants.Variant(
        artifact=item,
        facts=found,
        backend="litert_quantizer",
        technique="pruning(final_sparsity=0.5) > full_integer() > slimming()",
        calibration=None,
        resolvers=facts.ResolverCheck(
            prepared_by="both", num_examples=10, max_quanta=1
        ),
        findings=(),
        compressed=_compressed(),
        notes=(HOSTILE,),
    )


def _compressed() -> compression.CompressedModel:
    history = training.TrainingHistory(
        options=training.TrainingOptions(),
        loss=(0.3, 0.2),
        accuracy=(0.9, 0.91),
        validation_loss=(0.3, 0.25),
        validation_accuracy=(0.875, 0.86),
        kept_epoch=1,
        steps=20,
        num_train=100,
        num_validation=50,
        seconds=2.0,
    )
    step = compression.CompressionStep(
        technique={"technique": "pruning", "final_sparsity": 0.5, "end": None},
        gives="sparsity",
        promises=(),
        kept=(),
        histories=(history,),
        notes=("Zeros in 1 kernel.",),
        seconds=3.0,
    )
    return compression.CompressedModel(
        artifact=factories.tflite("pruned", format="keras"),
        steps=(step,),
        output_names=("y",),
        layers=("conv",),
    )


def _profile() -> op_profile.ProfiledModel:
    ops = tuple(
        op_profile.ProfiledOp(
            name=name,
            index=index,
            subgraph=0,
            is_delegated=not index,
            mean_us=1.0 + index,
            share=0.5,
        )
        for index, name in enumerate(("Convolution", HOSTILE))
    )
    return op_profile.ProfiledModel(
        artifact=factories.tflite("int8"),
        num_threads=1,
        profiles=(
            op_profile.OpProfile(
                kernels="xnnpack", num_runs=10, inference_us=3.0, ops=ops
            ),
        ),
        operators=("CONV_2D", HOSTILE),
        delegation=delegation.Delegation(
            delegate="xnnpack", partitions=1, delegated=((0,),), left_out=(1,)
        ),
    )


def _errors() -> tensor_errors.TensorErrors:
    tensors = tuple(
        tensor_errors.TensorError(
            name=f"t{position}",
            layers=(layer,),
            operation="CONV_2D",
            position=position,
            dtype="int8",
            snr_db=snr_db,
            own_snr_db=40.0,
            cosine=0.999,
            shift_fraction=0.1,
            clipped_fraction=0.0,
            unused_range_fraction=0.2,
            channel_spread=None,
        )
        for position, (layer, snr_db) in enumerate(
            [("conv", 30.0), ("logits", 12.0)]
        )
    )
    return tensor_errors.TensorErrors(
        parent_sha256="0" * 64,
        sha256="1" * 64,
        num_examples=100,
        divergence=0.01,
        agreement=0.99,
        tied_fraction=0.0,
        tensors=tensors,
    )
