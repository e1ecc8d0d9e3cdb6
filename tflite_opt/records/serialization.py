# SPDX-License-Identifier: Apache-2.0
"""The JSON form of a record: typed, versioned, and read back strictly.

A record file names its class and `schema_version`. Unknown or missing fields,
another version or a value of the wrong type are errors, never repaired. Paths
inside the directory of the record are stored relative to it, so that a run
directory can be moved or downloaded from CI and still be read.
"""

import dataclasses
import json
import math
import pathlib
import types
import typing
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from tflite_opt.records import errors, files

_RecordT = TypeVar("_RecordT", bound="Record")

# Resolving annotations is slow beside building a record of ten thousand
# tensors.
_FIELD_TYPES: dict[type, dict[str, Any]] = {}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Record:
    """Base of all records; subclasses are frozen keyword-only dataclasses.

    Fields may be `str`, `int`, `float`, `bool`, `pathlib.Path`, other records,
    `Literal`s, `tuple[X, ...]`, `dict[str, X]` and `X | None`. Values are
    checked against these types on construction. A float that is not finite is
    refused: a statistic that does not exist is `None`.
    """

    schema_version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Checks each field's type.

        Raises:
            InputError: If a value is not of its field's type.
        """
        for name, hint in _field_types(type(self)).items():
            _check(getattr(self, name), hint, f"{type(self).__name__}.{name}")

    def to_json(self, base: pathlib.Path | None = None) -> dict[str, Any]:
        """Returns plain JSON types; paths below `base` become relative."""
        content = {"record": type(self).__name__}
        content["schema_version"] = self.schema_version  # type: ignore
        for field in dataclasses.fields(self):
            content[field.name] = _encode(getattr(self, field.name), base)
        return content

    @classmethod
    def from_json(
        cls: type[_RecordT],
        content: Mapping[str, Any],
        base: pathlib.Path | None = None,
    ) -> _RecordT:
        """Builds the record from `to_json`'s form.

        Args:
            content: Parsed JSON.
            base: Directory that relative paths are relative to.

        Raises:
            InputError: If it is not such a record or of another version.
        """
        found = content.get("record"), content.get("schema_version")
        if found != (cls.__name__, cls.schema_version):
            raise errors.InputError(
                f"Expected a {cls.__name__} record of schema version "
                f"{cls.schema_version}. Received: record={found[0]!r}, "
                f"schema_version={found[1]!r}. Make it again with this "
                "version of tflite_opt."
            )
        hints = _field_types(cls)
        unknown = set(content) - set(hints) - {"record", "schema_version"}
        missing = _required_fields(cls) - set(content)
        if unknown or missing:
            raise errors.InputError(
                f"A {cls.__name__} record must have exactly its fields. "
                f"Received: unknown={sorted(unknown)}, "
                f"missing={sorted(missing)}."
            )
        try:
            return cls(
                **{
                    name: _decode(content[name], hint, base)
                    for name, hint in hints.items()
                    if name in content
                }
            )
        except (TypeError, ValueError, AttributeError) as error:
            raise errors.InputError(
                f"Not a valid {cls.__name__} record: {error}"
            ) from error

    def save(
        self, path: pathlib.Path, base: pathlib.Path | None = None
    ) -> None:
        """Writes the record as JSON; `base` defaults to the file's folder."""
        files.write_json(path, self.to_json(base or path.parent))

    @classmethod
    def load(
        cls: type[_RecordT],
        path: pathlib.Path,
        base: pathlib.Path | None = None,
    ) -> _RecordT:
        """Reads a record that `save` wrote.

        Raises:
            InputError: If the file is missing, not JSON or not this record.
        """
        return cls.from_json(read_json(path), base or path.parent)


def read_json(path: pathlib.Path) -> dict[str, Any]:
    """Returns the JSON object in a file.

    Raises:
        InputError: If the file cannot be read or holds no JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise errors.InputError(
            f"Cannot read {str(path)!r}: {error.strerror}."
        ) from error
    except ValueError as error:
        raise errors.InputError(
            f"{str(path)!r} is not valid JSON: {error}. Make it again."
        ) from error
    if not isinstance(content, dict):
        raise errors.InputError(f"{str(path)!r} holds no JSON object.")
    return content


def _field_types(cls: type[Record]) -> dict[str, Any]:
    if cls not in _FIELD_TYPES:
        hints = typing.get_type_hints(cls)
        _FIELD_TYPES[cls] = {
            field.name: hints[field.name] for field in dataclasses.fields(cls)
        }
    return _FIELD_TYPES[cls]


def _required_fields(cls: type[Record]) -> set[str]:
    return {
        field.name
        for field in dataclasses.fields(cls)
        if field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    }


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


def _matches(value: Any, hint: Any) -> bool:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return True
    if _is_union(hint):
        return any(_matches(value, choice) for choice in arguments)
    if origin is typing.Literal:
        return value in arguments
    if origin is tuple:
        return isinstance(value, tuple) and all(
            _matches(item, arguments[0]) for item in value
        )
    if origin is dict:
        return isinstance(value, dict) and all(
            isinstance(key, str) and _matches(item, arguments[1])
            for key, item in value.items()
        )
    if hint is float:
        return (
            isinstance(value, (int, float))
            and not isinstance(value, bool)
            and math.isfinite(value)
        )
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)


def _check(value: Any, hint: Any, name: str) -> None:
    if not _matches(value, hint):
        expected = getattr(hint, "__name__", None) or str(hint)
        if typing.get_origin(hint) is not None:
            expected = str(hint)
        raise errors.InputError(
            f"`{name}` must be of type {expected}. Received: {value!r}"
        )


def _encode(value: Any, base: pathlib.Path | None) -> Any:
    if isinstance(value, Record):
        return value.to_json(base)
    if isinstance(value, pathlib.Path):
        if base is not None and value.is_absolute():
            root = base.resolve()
            if value.is_relative_to(root):
                return value.relative_to(root).as_posix()
        return value.as_posix()
    if isinstance(value, tuple):
        return [_encode(item, base) for item in value]
    if isinstance(value, dict):
        return {key: _encode(item, base) for key, item in value.items()}
    return value


def _decode(value: Any, hint: Any, base: pathlib.Path | None) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if _is_union(hint):
        if value is None:
            return None
        choices = [choice for choice in arguments if choice is not type(None)]
        return _decode(value, choices[0], base) if len(choices) == 1 else value
    if origin is tuple:
        return tuple(_decode(item, arguments[0], base) for item in value)
    if origin is dict:
        return {
            key: _decode(item, arguments[1], base)
            for key, item in value.items()
        }
    if isinstance(hint, type) and issubclass(hint, Record):
        return hint.from_json(value, base)
    if hint is pathlib.Path:
        path = pathlib.Path(value)
        if base is not None and not path.is_absolute():
            return base.resolve() / path
        return path
    return value
