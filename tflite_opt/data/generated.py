# SPDX-License-Identifier: Apache-2.0
"""Data sets made by formula: real structure, no download, any seed.

Each is hard enough that a linear model on the raw values does clearly worse
than a network of the family it is for. Examples are drawn independently, so no
split knows anything of another. Who gets which example is `splits`' business.
"""

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np

_SENSOR_EXAMPLES = 6000
_SENSOR_STEPS = 64
_SENSOR_RATE_HZ = 20.0

# Name, steps per second, phase by which the second axis follows the first,
# amplitude of the second harmonic, change of posture over the window in g.
_ACTIVITIES = (
    ("standing", 0.0, 0.0, 0.0, 0.0),
    ("sitting_down", 0.0, 0.0, 0.0, 1.2),
    ("walking", 1.8, np.pi / 2, 0.2, 0.0),
    ("climbing_stairs", 1.8, np.pi / 2, 0.2, 0.8),
    ("descending_stairs", 1.8, -np.pi / 2, 0.2, 0.0),
    ("running", 2.7, np.pi / 2, 0.6, 0.0),
)

_TOKEN_EXAMPLES = 8000
_TOKEN_LENGTH = 16
_NUM_FILLERS = 80
_MARKERS_PER_KIND = 3
_MARKER_PAIRS = ("ab", "ba", "cd", "dc")

_GRAPH_EXAMPLES = 5000
_GRAPH_NODES = 16
_GRAPH_LEAST_NODES = 8
_GRAPH_ATTRIBUTES = 3

_VIBRATION_NORMAL = 6000
_VIBRATION_ANOMALIES = 2000
_VIBRATION_SAMPLES = 256
_VIBRATION_BANDS = 64
# Amplitudes of the first harmonics of a healthy shaft.
_SHAFT_HARMONICS = (1.0, 0.5, 0.25, 0.12)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Pool:
    """All examples of a data set, before they are split.

    Attributes:
        inputs: By input name, arrays of shape `(n, ...)`.
        labels: Class indices, shape `(n,)`, int64.
        class_names: By class index.
        trained_on: Classes that a train split may hold; the others are there
            for validation and test only.
    """

    inputs: Mapping[str, np.ndarray]
    labels: np.ndarray
    class_names: tuple[str, ...]
    trained_on: tuple[int, ...]


def load(name: str, seed: int) -> Pool:
    """Makes a data set.

    Args:
        name: One of `NAMES`.
        seed: Not negative; the same one always gives the same examples.
    """
    return _MAKERS[name](np.random.default_rng([seed, NAMES.index(name)]))


def normalized_adjacency(adjacency: np.ndarray) -> np.ndarray:
    """Returns `D^-1/2 (A + I) D^-1/2`, by which a graph network averages.

    A node without neighbours keeps its own features; D is the degree that
    counts the node itself.

    Args:
        adjacency: Shape `(..., nodes, nodes)`, symmetric, not negative, zero
            on the diagonal.

    Returns:
        Same shape, float32, in [0, 1] for edges of weight 1.

    References:
        Kipf and Welling, "Semi-Supervised Classification with Graph
        Convolutional Networks", 2017, equation 2.
        https://arxiv.org/abs/1609.02907
    """
    looped = adjacency + np.eye(adjacency.shape[-1])
    scale = 1 / np.sqrt(looped.sum(axis=-1))
    normalized = looped * scale[..., :, np.newaxis] * scale[..., np.newaxis, :]
    return normalized.astype(np.float32)


def _sensor(generator: np.random.Generator) -> Pool:
    """Makes windows of a worn accelerometer, 3.2 s of 3 axes at 20 Hz, in g.

    Activities differ in step frequency, in which axis leads, in harmonics and
    in a change of posture. Pace, strength, phase, resting posture and noise
    vary from window to window.
    """
    labels = np.arange(_SENSOR_EXAMPLES) % len(_ACTIVITIES)
    numbers = np.array([activity[1:] for activity in _ACTIVITIES])[labels]
    frequency, lag, harmonic, change = numbers.T[:, :, np.newaxis]

    def uniform(low: float, high: float, *shape: int) -> np.ndarray:
        return generator.uniform(low, high, (len(labels), *(shape or (1,))))

    seconds = np.arange(_SENSOR_STEPS) / _SENSOR_RATE_HZ
    strength = uniform(0.3, 1.0) * (frequency > 0)
    phase = uniform(0, 2 * np.pi) + 2 * np.pi * seconds * (
        frequency * uniform(0.8, 1.25)
    )
    movement = np.stack(
        [
            np.sin(phase) + harmonic * np.sin(2 * phase),
            np.sin(phase - lag) * uniform(0.5, 1.0),
            np.sin(phase + uniform(0, 2 * np.pi)) * 0.3,
        ],
        axis=-1,
    )
    # The posture changes around some moment, within about half a second.
    moment = uniform(0.8, 2.4)
    posture = change * uniform(0.5, 1.5) / (1 + np.exp(-6 * (seconds - moment)))
    windows = strength[:, :, np.newaxis] * movement
    windows[:, :, 2] += posture
    windows += uniform(-0.5, 0.5, 1, 3)
    windows += generator.normal(0, 1, windows.shape) * uniform(0.1, 0.4, 1, 1)
    return Pool(
        inputs={"sequence": windows.astype(np.float32)},
        labels=labels,
        class_names=tuple(activity[0] for activity in _ACTIVITIES),
        trained_on=tuple(range(len(_ACTIVITIES))),
    )


def _tokens(generator: np.random.Generator) -> Pool:
    """Makes sentences of 16 ids whose class is the order of two words.

    Ids below 80 are fillers, frequent ones first, as in text. Two words among
    them matter: one of kind a and one of kind b, or one of c and one of d,
    each kind being 3 synonyms. The class says which kinds, and which of the
    two comes first; counting words tells the kinds only.
    """
    labels = np.arange(_TOKEN_EXAMPLES) % len(_MARKER_PAIRS)
    frequencies = 1 / np.arange(2, _NUM_FILLERS + 2)
    ids = generator.choice(
        _NUM_FILLERS,
        (len(labels), _TOKEN_LENGTH),
        p=frequencies / frequencies.sum(),
    ).astype(np.int32)
    shuffled = generator.permuted(
        np.tile(np.arange(_TOKEN_LENGTH), (len(labels), 1)), axis=1
    )
    places = np.sort(shuffled[:, :2], axis=1)
    kinds = np.array([["abcd".index(k) for k in p] for p in _MARKER_PAIRS])
    synonyms = generator.integers(0, _MARKERS_PER_KIND, places.shape)
    markers = _NUM_FILLERS + kinds[labels] * _MARKERS_PER_KIND + synonyms
    np.put_along_axis(ids, places, markers.astype(np.int32), axis=1)
    return Pool(
        inputs={"tokens": ids},
        labels=labels,
        class_names=tuple(f"{p[0]}_before_{p[1]}" for p in _MARKER_PAIRS),
        trained_on=tuple(range(len(_MARKER_PAIRS))),
    )


def _graphs(generator: np.random.Generator) -> Pool:
    """Makes small graphs of five families, 8 to 16 nodes in random order.

    `features` is 1 for a node and 0 for padding, and three random attributes
    that say nothing about the family; `adjacency` is normalized.
    """
    families: dict[str, Callable[[int, np.random.Generator], np.ndarray]] = {
        "ring": _ring,
        "star": _star,
        "tree": _tree,
        "grid": _grid,
        "random": _random_graph,
    }
    labels = np.arange(_GRAPH_EXAMPLES) % len(families)
    makers = list(families.values())
    square = (_GRAPH_NODES, _GRAPH_NODES)
    adjacency = np.zeros((len(labels), *square))
    features = np.zeros((len(labels), _GRAPH_NODES, 1 + _GRAPH_ATTRIBUTES))
    for index, label in enumerate(labels):
        count = int(generator.integers(_GRAPH_LEAST_NODES, _GRAPH_NODES + 1))
        edges = makers[label](count, generator)
        order = generator.permutation(_GRAPH_NODES)
        first, second = order[edges.T]
        adjacency[index, first, second] = adjacency[index, second, first] = 1
        nodes = order[: edges.max() + 1]
        features[index, nodes, 0] = 1
        features[index, nodes, 1:] = generator.random(
            (len(nodes), _GRAPH_ATTRIBUTES)
        )
    return Pool(
        inputs={
            "features": features.astype(np.float32),
            "adjacency": normalized_adjacency(adjacency),
        },
        labels=labels,
        class_names=tuple(families),
        trained_on=tuple(range(len(families))),
    )


def _ring(count: int, generator: np.random.Generator) -> np.ndarray:
    del generator  # All rings of one size are the same.
    nodes = np.arange(count)
    return np.stack([nodes, (nodes + 1) % count], axis=1)


def _star(count: int, generator: np.random.Generator) -> np.ndarray:
    del generator  # All stars of one size are the same.
    leaves = np.arange(1, count)
    return np.stack([np.zeros_like(leaves), leaves], axis=1)


def _tree(count: int, generator: np.random.Generator) -> np.ndarray:
    """Each node hangs from one of the three before it, so no star comes out."""
    nodes = np.arange(1, count)
    return np.stack(
        [np.maximum(nodes - generator.integers(1, 4, count - 1), 0), nodes],
        axis=1,
    )


def _grid(count: int, generator: np.random.Generator) -> np.ndarray:
    """Two to four rows, as many columns as fit."""
    rows = int(generator.integers(2, 5))
    nodes = np.arange(rows * (count // rows)).reshape(rows, -1)
    pairs = (nodes[:, :-1], nodes[:, 1:]), (nodes[:-1], nodes[1:])
    return np.concatenate(
        [np.stack([a.ravel(), b.ravel()], axis=1) for a, b in pairs]
    )


def _random_graph(count: int, generator: np.random.Generator) -> np.ndarray:
    """As many edges as nodes, up to half as many more, drawn at random."""
    pairs = np.stack(np.triu_indices(count, 1), axis=1)
    num_edges = int(generator.integers(count, 3 * count // 2 + 1))
    return generator.choice(pairs, num_edges, replace=False)


def _vibration(generator: np.random.Generator) -> Pool:
    """Makes log spectra of a rotating machine, 64 bands: healthy or faulty.

    A healthy one has harmonics of its shaft, whose speed and load vary.
    Faults, in equal shares: a bearing (a tone between the harmonics), an
    imbalance (a stronger first harmonic), looseness (half harmonics) and
    friction (noise in the upper bands). Each comes faint to strong.
    """
    labels = np.repeat([0, 1], [_VIBRATION_NORMAL, _VIBRATION_ANOMALIES])
    fault = np.where(labels, 1 + np.arange(len(labels)) % 4, 0)[:, np.newaxis]
    severity = generator.uniform(0.2, 1.0, fault.shape)
    turns = generator.uniform(4.0, 7.0, fault.shape) * (
        np.arange(_VIBRATION_SAMPLES) / _VIBRATION_SAMPLES
    )
    load = generator.uniform(0.5, 1.5, fault.shape)

    def tone(order: float, amplitude: np.ndarray) -> np.ndarray:
        phase = generator.uniform(0, 2 * np.pi, fault.shape)
        return amplitude * np.sin(2 * np.pi * order * turns + phase)

    wave = generator.normal(0, 0.05, turns.shape)
    for order, amplitude in enumerate(_SHAFT_HARMONICS, start=1):
        grown = 1 + 2 * severity * ((fault == 2) & (order == 1))
        wave += tone(order, load * amplitude * grown)
    wave += tone(3.57, 0.5 * severity * (fault == 1))
    for half in (0.5, 1.5, 2.5):
        wave += tone(half, 0.3 * severity * (fault == 3))
    hiss = np.diff(generator.normal(0, 0.15, turns.shape), prepend=0.0)
    wave += severity * (fault == 4) * hiss
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(_VIBRATION_SAMPLES)))
    decades = np.log10(spectrum[:, 1 : _VIBRATION_BANDS + 1] + 0.1)
    return Pool(
        inputs={"spectrum": decades.astype(np.float32)},
        labels=labels,
        class_names=("normal", "anomaly"),
        trained_on=(0,),
    )


_MAKERS: dict[str, Callable[[np.random.Generator], Pool]] = {
    "sensor": _sensor,
    "tokens": _tokens,
    "graphs": _graphs,
    "vibration": _vibration,
}
NAMES = tuple(_MAKERS)
