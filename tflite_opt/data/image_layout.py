# SPDX-License-Identifier: Apache-2.0
"""Which images of a tree are in which part, and how they are labelled.

    <class>/*.jpg                  a pool, which is split later
    train/..., validation/...,     each with the class folders; `val` and
    test/...                       `valid` are other names of `validation`
    labels.csv                     columns file,label instead of class
                                   folders; may also stand in a part's folder
    *.jpg                          without classes: unlabelled

Folders below a class folder belong to the class. One folder around all of
this, as archives have it, is entered. Works on names; opens no image.
"""

import collections
import csv
import dataclasses
import io
import logging
import posixpath
from collections.abc import Iterable, Sequence

from tflite_opt.data import file_tree
from tflite_opt.records import errors

_LOG = logging.getLogger(__name__)

SUFFIXES = (
    *(".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm"),
    *(".tif", ".tiff", ".webp"),
)
_LABELS = "labels.csv"
_COLUMNS = ("file", "label")
_PART_OF_FOLDER = {
    "train": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "test": "test",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Entry:
    """One image.

    Attributes:
        name: Path in the tree.
        part: `train`, which is the whole pool too, `validation` or `test`.
        label: As a folder or a table has it; None without labels.
    """

    name: str
    part: str
    label: str | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Layout:
    """What the names say.

    Attributes:
        entries: In the order of the names; at least one.
        labels_are_folders: Whether labels are names of folders.
    """

    entries: tuple[Entry, ...]
    labels_are_folders: bool


def find(tree: file_tree.FileTree, where: str) -> Layout:
    """Reads the layout of a tree.

    Args:
        tree: The files.
        where: What errors call the tree.

    Raises:
        DataError: If there are no images, or the layout is not one of those
            above.
    """
    names = [
        name
        for name in tree.names()
        if name.lower().endswith(SUFFIXES)
        or posixpath.basename(name) == _LABELS
    ]
    root = _root(names)
    names = [name for name in names if name.startswith(root)]
    images = [name for name in names if name.lower().endswith(SUFFIXES)]
    if not images:
        raise errors.DataError(
            f"There must be images ({', '.join(SUFFIXES)}). "
            f"Received: none in {where}"
        )
    parts = _parts(images, root, where)
    folders = {root} | {
        f"{root}{_top(name, root)}/" for name in images if parts
    }
    tables = [folder + _LABELS for folder in sorted(folders)]
    labels: dict[str, str] = {}
    for table in tables:
        if table in names:
            labels |= _read_table(tree, table, set(images), where)
    if labels:
        return _listed(images, parts, labels, where)
    return _in_folders(images, parts, root, where)


def _root(names: Sequence[str]) -> str:
    """Returns the folder around everything, with a slash, or nothing."""
    root = ""
    while True:
        tops = {_top(name, root) for name in names}
        if len(tops) != 1 or tops <= set(_PART_OF_FOLDER):
            return root
        inner = f"{root}{tops.pop()}/"
        # Images that lie in the only folder make it a class.
        is_around = any(
            "/" in name[len(inner) :] or name == inner + _LABELS
            for name in names
        )
        if not is_around:
            return root
        root = inner


def _top(name: str, root: str) -> str:
    return name[len(root) :].partition("/")[0]


def _parts(
    images: Sequence[str], root: str, where: str
) -> dict[str, str] | None:
    """Returns the part of each image, or None for a pool."""
    tops = {_top(name, root) for name in images}
    known = tops & set(_PART_OF_FOLDER)
    others = tops - known
    if "train" not in known or (others and len(known) == 1):
        return None
    if others:
        raise errors.DataError(
            "Beside the folders of the parts there must be no others. "
            f"Received: {', '.join(sorted(known))} and "
            f"{', '.join(sorted(others)[:3])} in {where}"
        )
    return {name: _PART_OF_FOLDER[_top(name, root)] for name in images}


def _read_table(
    tree: file_tree.FileTree, table: str, images: set[str], where: str
) -> dict[str, str]:
    """Returns labels by name of the image."""
    with (
        tree.open(table) as file,
        io.TextIOWrapper(file, "utf-8-sig", newline="") as text,
    ):
        try:
            rows = list(csv.DictReader(text, skipinitialspace=True))
        except (csv.Error, UnicodeDecodeError) as error:
            raise errors.DataError(
                f"Cannot read {table!r} in {where}: {error}."
            ) from error
    folder = posixpath.dirname(table)
    labels: dict[str, str] = {}
    for row in rows:
        if not all(row.get(column) for column in _COLUMNS):
            raise errors.DataError(
                f"Every row of {table!r} must have a {' and a '.join(_COLUMNS)}"
                f". Received: {row} in {where}"
            )
        name = posixpath.normpath(posixpath.join(folder, row["file"]))
        if name not in images:
            raise errors.DataError(
                f"The files in {table!r} must be images beside it. "
                f"Received: {row['file']!r}, which is not there, in {where}"
            )
        label = row["label"].strip()
        if labels.setdefault(name, label) != label:
            raise errors.DataError(
                f"An image must have one label in {table!r}. Received: "
                f"{labels[name]!r} and {label!r} for {name!r} in {where}"
            )
    return labels


def _listed(
    images: Sequence[str],
    parts: dict[str, str] | None,
    labels: dict[str, str],
    where: str,
) -> Layout:
    left_out = len(images) - len(labels)
    if left_out:
        _LOG.warning(
            "Left out %d of %d images in %s that %s does not list",
            *(left_out, len(images), where, _LABELS),
        )
    return Layout(
        entries=_entries((n for n in images if n in labels), parts, labels),
        labels_are_folders=False,
    )


def _in_folders(
    images: Sequence[str],
    parts: dict[str, str] | None,
    root: str,
    where: str,
) -> Layout:
    depth = root.count("/") + (parts is not None)
    folders = {name: name.split("/")[depth:-1] for name in images}
    loose = [name for name, inside in folders.items() if not inside]
    if not loose:
        labels = {name: inside[0] for name, inside in folders.items()}
        return Layout(
            entries=_entries(images, parts, labels), labels_are_folders=True
        )
    if len(loose) < len(images):
        raise errors.DataError(
            "All images must be in class folders, or none. Received: "
            f"{len(loose)} of {len(images)} beside them, {loose[0]!r} for one, "
            f"in {where}. {_LABELS} may say what their labels are."
        )
    return Layout(entries=_entries(images, parts, {}), labels_are_folders=True)


def _entries(
    images: Iterable[str],
    parts: dict[str, str] | None,
    labels: dict[str, str],
) -> tuple[Entry, ...]:
    return tuple(
        Entry(
            name=name,
            part=parts[name] if parts else "train",
            label=labels.get(name),
        )
        for name in images
    )


def by_part(entries: Sequence[Entry]) -> dict[str, list[int]]:
    """Returns the positions of the entries of each part."""
    positions = collections.defaultdict(list)
    for position, entry in enumerate(entries):
        positions[entry.part].append(position)
    return positions
