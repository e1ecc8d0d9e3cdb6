# SPDX-License-Identifier: Apache-2.0
"""Data of every kind through a program, and bad ones in one line."""

import json

import numpy as np
import pytest

from tests.data import pictures
from tests.scripts import programs


def _evaluate(finished_run, tmp_path, *flags):
    model = finished_run.path("artifacts", "float32.tflite")
    return programs.run(
        "evaluate",
        str(model),
        f"--output_dir={tmp_path / 'out'}",
        "--num_calibration=2",
        "--output=json",
        *flags,
    )


def _digit_folders(root, count=12):
    """Writes the digits 0 to 9 as small grey images, 0 to 255."""
    from PIL import Image
    from sklearn import datasets

    pixels, labels = datasets.load_digits(return_X_y=True)
    for digit in range(10):
        for i in np.flatnonzero(labels == digit)[:count]:
            path = root / str(digit) / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            image = (pixels[i] * 255 / 16).round().astype(np.uint8)
            Image.fromarray(image.reshape(8, 8)).save(path)


def test_an_image_folder_reaches_the_accuracy_of_its_pixels(
    tmp_path, finished_run
):
    _digit_folders(tmp_path / "digits")
    done = _evaluate(
        finished_run,
        tmp_path,
        f"--dataset=images:{tmp_path / 'digits'}",
        "--preprocessing=unit",
    )
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)
    assert result["num_examples"] == 30
    assert result["metrics"][0]["value"] > 0.9


@pytest.mark.parametrize(
    ("flags", "parts"),
    [
        (["--image_size=8by8"], ["image_size='8by8'", "224"]),
        (["--image_size=0"], ["image_size=(0, 0)"]),
        (["--image_size=8"], ["`image_size` is for images:DIR"]),
        (["--resize=shrink"], ["resize", "stretch", "crop", "pad"]),
        (["--preprocessing=torch"], ["preprocessing", "imagenet_mean_std"]),
        (["--label_column=y"], ["label_column='y'", "csv:FILE"]),
        (["--dataset=images:nothing"], ["No data set at 'nothing'"]),
        (["--dataset=python:no.such:f"], ["No module 'no'"]),
        (["--dataset=python:json:dumps"], ["json:dumps raised TypeError"]),
    ],
    ids=lambda value: value[0] if value[0].startswith("--") else None,
)
def test_refuses_bad_flags(tmp_path, finished_run, flags, parts):
    done = _evaluate(finished_run, tmp_path, *flags)
    lines = [x for x in done.stderr.splitlines() if x.startswith("error: ")]
    assert done.returncode == 2, done.stderr
    assert len(lines) == 1
    assert all(part in lines[0] for part in parts), lines


def test_a_traceback_of_theirs_is_marked_and_followed_by_one_line(
    tmp_path, finished_run
):
    done = _evaluate(finished_run, tmp_path, "--dataset=python:json:load")
    *talk, last = done.stderr.splitlines()
    assert done.returncode == 2
    assert last.startswith("error: Your json:load raised TypeError: ")
    start = talk.index("Traceback of your code, json:load:")
    assert talk[start + 1].startswith("TypeError: ")


def test_unreadable_images_are_counted_and_named(tmp_path, finished_run):
    root = pictures.write_classes(tmp_path / "data", count=20)
    (root / "cat" / "3.png").write_bytes(b"")
    done = _evaluate(finished_run, tmp_path, f"--dataset=images:{root}")
    programs.assert_one_error_line(done, "1 of 40", "'cat/3.png'", "1 %")


def test_a_csv_without_the_column_lists_those_it_has(tmp_path, finished_run):
    path = tmp_path / "d.csv"
    path.write_text("height,width\n" + "1,2\n" * 20)
    done = _evaluate(
        finished_run, tmp_path, f"--dataset=csv:{path}", "--label_column=size"
    )
    programs.assert_one_error_line(done, "'size'", "are height, width")
