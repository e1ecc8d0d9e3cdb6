# SPDX-License-Identifier: Apache-2.0
"""Reads the YAML that users write, and refuses what would be misread."""

import pathlib
from collections.abc import Hashable
from typing import Any

import yaml

from tflite_opt.records import errors


def load(path: pathlib.Path, what: str) -> Any:
    """Returns the plain types in a YAML file.

    Args:
        path: The file.
        what: It holds, for messages: `budget`.

    Raises:
        InputError: If it cannot be read, is no YAML, or gives a key twice.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _UniqueKeys)
    except OSError as error:
        raise errors.InputError(
            f"Cannot read the {what} {str(path)!r}: {error.strerror}."
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise errors.InputError(
            f"The {what} {str(path)!r} must be YAML. Received: {error}"
        ) from error


class _UniqueKeys(yaml.SafeLoader):
    """YAML that refuses to give a key twice, where the last would win."""

    def construct_mapping(
        self, node: yaml.MappingNode, deep: bool = False
    ) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for index, key in enumerate(keys):
            if key in keys[:index]:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} twice", node.start_mark
                )
        return super().construct_mapping(node, deep)
