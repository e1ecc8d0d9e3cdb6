# SPDX-License-Identifier: Apache-2.0
"""Images in a folder or a `.zip`, decoded batch by batch.

`image_layout` says how the files may lie.
"""

import pathlib

import numpy as np

from tflite_opt.data import (
    dataset,
    file_tree,
    image_layout,
    label_text,
    parts,
)

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
    from tflite_opt.data import lazy_images

    path = pathlib.Path(argument).expanduser()
    where = repr(str(path))
    tree = file_tree.open_tree(path)
    layout = image_layout.find(tree, where)
    names = [entry.name for entry in layout.entries]
    images, readable = lazy_images.from_files(tree, names, spec, where)
    kept = set(readable)
    entries = [entry for entry in layout.entries if entry.name in kept]
    positions = image_layout.by_part(entries)
    labels, class_names = _labels(layout, entries, positions, where)
    return parts.to_dataset(
        parts.Source(
            name=f"images:{path.absolute().name}",
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
