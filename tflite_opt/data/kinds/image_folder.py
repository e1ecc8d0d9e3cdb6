# SPDX-License-Identifier: Apache-2.0
"""Images in a folder or a `.zip`, decoded batch by batch.

`image_layout` says how the files may lie.
"""

import pathlib
from typing import TYPE_CHECKING

import numpy as np

from tflite_opt.data import (
    dataset,
    file_tree,
    image_layout,
    label_text,
    parts,
    preprocessing,
)
from tflite_opt.records import errors

if TYPE_CHECKING:
    from tflite_opt.data import image_files

FORMS = ("images:DIR", "images:FILE.zip")
OPTIONS = ("image_size", "resize", "preprocessing")


def load(argument: str, spec: dataset.DataSpec) -> dataset.Dataset:
    """Finds the images and their labels; decodes none.

    Args:
        argument: Path of a folder or `.zip`.
        spec: Of the splits and the images.

    Returns:
        One input `image`, lazy, shape `(n, height, width, channels)`,
        float32. There is one channel if all images are grey and the
        preprocessing needs no colours, else three.

    Raises:
        DataError: If there are no images, they are of several sizes and
            `spec.image_size` is not set, too many are unreadable, or the
            layout or a label breaks a rule.
    """
    # Pillow is imported for images only.
    from tflite_opt.data import image_files, lazy_images

    path = pathlib.Path(argument).expanduser()
    where = repr(str(path))
    tree = file_tree.open_tree(path)
    layout = image_layout.find(tree, where)
    headers = image_files.read_headers(
        tree, [entry.name for entry in layout.entries], where
    )
    images = lazy_images.LazyImages(
        image_files.ImageFiles(tree, headers.names),
        np.arange(len(headers.names)),
        _image_shape(headers, spec, where),
        spec.resize,
        spec.preprocessing,
    )
    readable = set(headers.names)
    entries = [entry for entry in layout.entries if entry.name in readable]
    positions = image_layout.by_part(entries)
    labels, class_names = _labels(layout, entries, positions, where)
    return parts.to_dataset(
        parts.Source(
            name=f"images:{path.name}",
            where=where,
            parts={
                name: parts.Part(
                    inputs={
                        dataset.IMAGE_INPUT: images.take(
                            np.array(positions[name])
                        )
                    },
                    labels=labels.get(name),
                )
                for name in parts.NAMES
                if name in positions
            },
            class_names=class_names,
        ),
        spec,
    )


def _image_shape(
    headers: "image_files.Headers", spec: dataset.DataSpec, where: str
) -> tuple[int, int, int]:
    is_grey = headers.are_grey and not preprocessing.needs_colours(
        spec.preprocessing
    )
    channels = 1 if is_grey else 3
    if spec.image_size is not None:
        return *spec.image_size, channels
    first = headers.sizes[0]
    other = np.flatnonzero((headers.sizes != first).any(axis=1))
    if len(other):
        shown = (
            f"{headers.names[i]!r} of {headers.sizes[i][0]}x"
            f"{headers.sizes[i][1]}"
            for i in (0, other[0])
        )
        raise errors.DataError(
            "Images must have one size, or be brought to one with "
            "--image_size=HEIGHTxWIDTH. "
            f"Received: {' and '.join(shown)} in {where}"
        )
    return int(first[0]), int(first[1]), channels


def _labels(
    layout: image_layout.Layout,
    entries: list[image_layout.Entry],
    positions: dict[str, list[int]],
    where: str,
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Returns labels by part, none of unlabelled images, and class names."""
    texts = {
        part: [label for i in chosen if (label := entries[i].label) is not None]
        for part, chosen in positions.items()
    }
    if not any(texts.values()):
        return {}, ()
    if layout.labels_are_folders:
        return label_text.from_names(texts, where)
    return label_text.parse(texts, where)
