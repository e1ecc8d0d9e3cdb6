# SPDX-License-Identifier: Apache-2.0
"""Which techniques in which order: recipes, their files, the named presets."""

import dataclasses
import functools
import pathlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import yaml

from tflite_opt import strict_yaml
from tflite_opt.records import errors
from tflite_opt.techniques import base, slimming

_PRESETS = pathlib.Path(__file__).parent / "presets"
_SUFFIXES = (".yaml", ".yml")
_KEYS = ("compress", "prepare", "convert", "refine")

_TechniqueT = TypeVar("_TechniqueT", bound=base.Technique)

# The whole ladder that needs no training, in the order of the table.
DEFAULT_NAMES = (
    "float32",
    "float16",
    "dynamic_range",
    "int8",
    "int8_uint8_io",
    "int8_float_io",
    "int16x8",
    "weight_only_int8",
    "int4",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """One variant: what is done to the model on its way.

    Attributes:
        name: Names the variant in files and tables.
        compress: What is done to the Keras model, in order.
        prepare: What is done to the float `.tflite`, in order.
        convert: The one conversion.
        refine: What is done to the `.tflite` afterwards, in order.
    """

    name: str
    convert: base.ConversionTechnique
    compress: tuple[base.CompressionTechnique, ...] = ()
    prepare: tuple[base.PreparationTechnique, ...] = ()
    refine: tuple[base.RefinementTechnique, ...] = ()

    def __post_init__(self) -> None:
        """Checks that no step undoes what an earlier one did.

        Raises:
            InputError: If one does, or a step preserves what is not there.
        """
        given: dict[str, str] = {}
        self._check_resizing()
        for step in self.compress:
            self._require(
                "fake_quantization" not in given,
                "be quantization-aware last: ranges that were trained hold "
                "for the weights they were trained with",
                f"{step.technique} after it",
            )
            self._require(
                step.gives not in given,
                f"give {step.gives} once",
                f"{given.get(str(step.gives))} and {step.technique}",
            )
            lost = [name for name in given if name not in step.preserve]
            self._require(
                not lost,
                "keep what earlier steps gave: training again changes all "
                "weights",
                f"{step.technique} without preserve: [{', '.join(given)}]",
            )
            absent = [name for name in step.preserve if name not in given]
            self._require(
                not absent,
                "preserve what an earlier step gave",
                f"{step.technique} with preserve: [{', '.join(step.preserve)}]"
                f" after {', '.join(given) or 'nothing'}",
            )
            if step.gives is not None:
                given[step.gives] = step.technique
        self._require(
            "fake_quantization" not in given
            or self.convert.takes_fake_quantization,
            "convert a quantization-aware model with full_integer, which "
            "uses its ranges",
            f"convert: {self.convert.technique}",
        )
        self._check_prepare_and_refine(given)

    def _check_resizing(self) -> None:
        for earlier, step in zip(
            self.compress, self.compress[1:], strict=False
        ):
            self._require(
                not step.resizes_layers,
                f"begin with {step.technique}: what earlier steps do is lost "
                "when layers get other sizes",
                f"{earlier.technique} before it",
            )
        for step in self.compress:
            wanted = step.measured_in_integers
            self._require(
                wanted in (None, self.convert.computes_in_integers),
                "convert to what was measured: a file that computes in "
                + ("integers" if wanted else "float"),
                f"{step.describe()} and convert: {self.convert.technique}",
            )

    def _check_prepare_and_refine(self, given: Mapping[str, str]) -> None:
        for step in self.prepare + self.refine:
            self._require(
                self.convert.computes_in_integers or not step.needs_integers,
                f"compute in integers for {step.technique} to have something "
                "to correct",
                f"convert: {self.convert.technique}",
            )
            lost = [name for name in given if name in step.breaks]
            self._require(
                not lost,
                f"keep the {' and '.join(lost)} that compression gave",
                f"{step.technique} after "
                + ", ".join(given[name] for name in lost),
            )
        self._require(
            not (self.prepare and self.convert.needs_converter),
            "convert what was prepared with LiteRT Quantizer: the TFLite "
            "converter starts from the Keras model",
            f"convert: {self.convert.describe()}",
        )
        for step, following in zip(self.refine, self.refine[1:], strict=False):
            self._require(
                not step.is_last,
                f"end with {step.technique}",
                f"{following.technique} after it",
            )

    def _require(self, condition: bool, rule: str, received: str) -> None:
        if not condition:
            raise errors.InputError(
                f"Recipe {self.name} must {rule}. Received: {received}."
            )

    def describe(self) -> str:
        """Returns the techniques in order, with what they change."""
        steps = (*self.compress, *self.prepare, self.convert, *self.refine)
        return " > ".join(step.describe() for step in steps)

    def to_json(self) -> dict[str, Any]:
        """Returns plain JSON types; `from_json` reads it."""
        return {
            "name": self.name,
            "compress": [step.to_recipe() for step in self.compress],
            "prepare": [step.to_recipe() for step in self.prepare],
            "convert": self.convert.to_recipe(),
            "refine": [step.to_recipe() for step in self.refine],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Recipe":
        """Builds a recipe from `to_json`'s form.

        Raises:
            InputError: If a technique or field is unknown, a value wrong, or
                the order illegal.
        """
        (convert,) = _techniques(
            "convert",
            [content["convert"]],
            base.ConversionTechnique,  # type: ignore[type-abstract]
        )
        return cls(
            name=content["name"],
            compress=_techniques(
                "compress",
                content.get("compress", ()),
                base.CompressionTechnique,  # type: ignore[type-abstract]
            ),
            prepare=_techniques(
                "prepare",
                content.get("prepare", ()),
                base.PreparationTechnique,  # type: ignore[type-abstract]
            ),
            convert=convert,
            refine=_techniques(
                "refine",
                content.get("refine", ()),
                base.RefinementTechnique,  # type: ignore[type-abstract]
            ),
        )


def _techniques(
    place: str, contents: Sequence[Any], kind: type[_TechniqueT]
) -> tuple[_TechniqueT, ...]:
    found = []
    for content in contents:
        technique = base.from_recipe(content)
        if not isinstance(technique, kind):
            raise errors.InputError(
                f"`{place}` must hold techniques for that place: "
                f"{', '.join(base.names(kind))}. "
                f"Received: {technique.technique}."
            )
        found.append(technique)
    return tuple(found)


def read(path: pathlib.Path) -> Recipe:
    """Returns the recipe in a YAML file, named like the file.

    Raises:
        InputError: If it cannot be read or is no legal recipe.
    """
    content = strict_yaml.load(path, "recipe")
    try:
        return _from_yaml(path.stem, content)
    except errors.InputError as error:
        raise errors.InputError(f"In {path.name}: {error}") from error


def _from_yaml(name: str, content: Any) -> Recipe:
    if not isinstance(content, dict) or "convert" not in content:
        raise errors.InputError(
            "A recipe must be a mapping with `convert`, and may have "
            "`compress`, `prepare` and `refine`. Received: "
            f"{', '.join(map(str, content)) if content else 'nothing'}."
        )
    unknown = sorted(str(key) for key in set(content) - set(_KEYS))
    if unknown:
        raise errors.InputError(
            f"A recipe must have known keys only: {', '.join(_KEYS)}. "
            f"Received: {', '.join(unknown)}."
        )
    for key in ("compress", "prepare", "refine"):
        if not isinstance(content.get(key, []), list):
            raise errors.InputError(
                f"`{key}` must be a list of techniques. "
                f"Received: {content[key]!r}."
            )
    return Recipe.from_json({"name": name, **content})


def to_yaml(recipe: Recipe) -> str:
    """Returns what `read` reads, but for the name, which is the file's."""
    content: dict[str, Any] = {"convert": recipe.convert.to_short_recipe()}
    for key in ("compress", "prepare", "refine"):
        steps: tuple[base.Technique, ...] = getattr(recipe, key)
        if steps:
            content[key] = [step.to_short_recipe() for step in steps]
    ordered = {key: content[key] for key in _KEYS if key in content}
    return f"# {recipe.describe()}\n" + yaml.safe_dump(
        ordered, sort_keys=False, width=78
    )


@functools.cache
def presets() -> Mapping[str, Recipe]:
    """Returns all named recipes: of the techniques, and of `presets/`."""
    found = {
        name: Recipe(name=name, convert=technique)
        for cls in base.conversion_techniques()
        for name, technique in cls.presets().items()
    }
    for path in sorted(_PRESETS.glob("*.yaml")):
        found[path.stem] = read(path)
    return found


def besides(
    recipes: Sequence[Recipe | str], automatic: Collection[str]
) -> list[Recipe | str]:
    """Returns recipes without the automatic ones.

    `float32` is left where only those were given: they start from it.

    Args:
        recipes: Names, paths or recipes.
        automatic: Names that stand for no recipe of their own.
    """
    others = [x for x in recipes if x not in automatic]
    return ["float32"] if recipes and not others else others


def parse_names(
    names: Iterable[str],
    *,
    slim: bool = True,
    own: Mapping[str, Recipe] | None = None,
) -> tuple[Recipe, ...]:
    """Returns recipes, with `float32` first.

    `float32` is added when it is missing: every comparison needs it.

    Args:
        names: Of presets, or paths of recipes in YAML.
        slim: Whether each recipe ends with slimming.
        own: Recipes that have names here only.

    Raises:
        InputError: If a name is unknown or given twice, or a file is no
            legal recipe.
    """
    known = {**presets(), **(own or {})}
    wanted = [name.strip() for name in names]
    unknown = [
        name for name in wanted if name not in known and not _is_file(name)
    ]
    if unknown or not wanted:
        raise errors.InputError(
            f"Unknown recipe. Received: {', '.join(unknown) or 'none'}. "
            f"Known: {', '.join(sorted(known))}, or the path of a .yaml file."
        )
    found = [
        read(pathlib.Path(name)) if _is_file(name) else known[name]
        for name in wanted
    ]
    found_names = [recipe.name for recipe in found]
    if len(set(found_names)) != len(found_names):
        raise errors.InputError(
            f"Each recipe may be given once. Received: {', '.join(found_names)}"
        )
    baseline = presets()["float32"]
    ordered = [baseline] + [x for x in found if x.name != baseline.name]
    return tuple(slimmed(recipe) if slim else recipe for recipe in ordered)


def slimmed(recipe: Recipe) -> Recipe:
    """Returns a recipe that ends with slimming."""
    if any(step.is_last for step in recipe.refine):
        return recipe
    last = slimming.Slimming()
    return dataclasses.replace(recipe, refine=(*recipe.refine, last))


def _is_file(name: str) -> bool:
    return name.endswith(_SUFFIXES)
