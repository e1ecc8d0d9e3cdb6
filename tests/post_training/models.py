# SPDX-License-Identifier: Apache-2.0
"""A depthwise separable network, built field by field, and its int8 form."""

import pathlib

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.tflite import handmade
from tflite_opt.conversion import litert_quantizer
from tflite_opt.post_training import layers
from tflite_opt.records import conversion
from tflite_opt.tflite import constants, flatbuffer

_ACTIVATION = schema.ActivationFunctionType
RELU6, NONE = _ACTIVATION.RELU6, _ACTIVATION.NONE
SAME, VALID = schema.Padding.SAME, schema.Padding.VALID
SIDE, CHANNELS, CLASSES = 8, 6, 4


class Network:
    """Adds layers one behind the other, with random weights."""

    def __init__(self, shape, seed=0):
        self.builder = handmade.Builder()
        self.random = np.random.default_rng(seed)
        self.shape = (1, *shape)
        self.source = self.last = self.builder.tensor(self.shape, name="x")

    def _constant(self, values, name):
        return self.builder.tensor(values.shape, name=name, values=values)

    def _add(self, kind, operands, shape, options):
        count = len(self.builder.model.subgraphs[0].operators)
        self.shape = shape
        output = self.builder.tensor(shape, name=f"{kind}_{count}")
        self.builder.operator(
            kind, (self.last, *operands), (output,), options=options
        )
        self.last = output
        return output

    def _layer(self, kind, weights, shape, options):
        channels = shape[-1]
        bias = self.random.normal(0.3, 0.3, channels).astype(np.float32)
        count = len(self.builder.model.subgraphs[0].operators)
        operands = (
            self._constant(weights.astype(np.float32), f"weights_{count}"),
            self._constant(bias, f"bias_{count}"),
        )
        return self._add(kind, operands, shape, options)

    def _image(self, kernel, stride, dilation, padding):
        extent = (kernel - 1) * dilation + 1
        size = self.shape[1] if padding == SAME else self.shape[1] - extent + 1
        return (-(-size // stride),) * 2

    def conv(
        self, channels, kernel=1, stride=1, dilation=1, padding=SAME,
        activation=RELU6,
    ):  # fmt: skip
        """Adds a convolution; returns its output."""
        fan_in = kernel * kernel * self.shape[-1]
        weights = self.random.normal(
            0, fan_in**-0.5, (channels, kernel, kernel, self.shape[-1])
        )
        options = schema.Conv2DOptionsT()
        self._convolve(options, stride, dilation, padding, activation)
        image = self._image(kernel, stride, dilation, padding)
        return self._layer("CONV_2D", weights, (1, *image, channels), options)

    def depthwise(
        self, kernel=3, stride=1, padding=SAME, activation=RELU6, multiplier=1
    ):
        """Adds a depthwise convolution; returns its output."""
        channels = self.shape[-1] * multiplier
        weights = self.random.normal(0.1, 0.3, (1, kernel, kernel, channels))
        options = schema.DepthwiseConv2DOptionsT()
        options.depthMultiplier = multiplier
        self._convolve(options, stride, 1, padding, activation)
        image = self._image(kernel, stride, 1, padding)
        return self._layer(
            "DEPTHWISE_CONV_2D", weights, (1, *image, channels), options
        )

    def _convolve(self, options, stride, dilation, padding, activation):
        options.strideW = options.strideH = stride
        options.dilationWFactor = options.dilationHFactor = dilation
        options.padding = padding
        options.fusedActivationFunction = activation

    def elementwise(self, kind, values):
        """Adds an operation with a constant for each channel, ADD or MUL."""
        count = len(self.builder.model.subgraphs[0].operators)
        constant = self._constant(
            np.asarray(values, np.float32), f"constants_{count}"
        )
        options = getattr(schema, f"{kind.capitalize()}OptionsT")()
        return self._add(kind, (constant,), self.shape, options)

    def add(self, other):
        """Adds an earlier output of the same shape to the last one."""
        return self._add("ADD", (other,), self.shape, schema.AddOptionsT())

    def pad(self):
        """Adds a border of one zero."""
        sizes = np.array([[0, 0], [1, 1], [1, 1], [0, 0]], np.int32)
        paddings = self.builder.tensor(
            (4, 2), "int32", name=f"paddings_{self.last}", values=sizes
        )
        batch, height, width, channels = self.shape
        shape = (batch, height + 2, width + 2, channels)
        return self._add("PAD", (paddings,), shape, schema.PadOptionsT())

    def dense(self, units):
        """Adds a fully connected layer on the flattened values."""
        size = int(np.prod(self.shape))
        target = self.builder.tensor(
            (2,), "int32", name="target", values=np.array([1, size], np.int32)
        )
        options = schema.ReshapeOptionsT()
        options.newShape = [1, size]
        self._add("RESHAPE", (target,), (1, size), options)
        weights = self.random.normal(0, 2 * size**-0.5, (units, size))
        return self._layer(
            "FULLY_CONNECTED",
            weights,
            (1, units),
            schema.FullyConnectedOptionsT(),
        )

    def softmax(self):
        """Adds a softmax."""
        options = schema.SoftmaxOptionsT()
        options.beta = 1.0
        return self._add("SOFTMAX", (), self.shape, options)

    def save(self, path: pathlib.Path) -> pathlib.Path:
        """Writes the file, with the last output and a signature."""
        self.builder.ends((self.source,), (self.last,))
        self.builder.signature("serve", {"x": self.source}, {"y": self.last})
        return self.builder.save(path)


def separable(path: pathlib.Path, *, logits: bool = False) -> pathlib.Path:
    """Writes a classifier: convolution, two separable blocks, dense layer."""
    network = Network((SIDE, SIDE, 3))
    network.conv(CHANNELS, kernel=3, stride=2)
    network.depthwise()
    network.conv(CHANNELS)
    network.pad()
    network.depthwise(stride=2, padding=VALID)
    network.conv(2 * CHANNELS, activation=NONE)
    network.dense(CLASSES)
    if not logits:
        network.softmax()
    return network.save(path)


def normalized(path: pathlib.Path) -> pathlib.Path:
    """Writes a classifier whose int8 form one constant in the middle spoils.

    Operations 3 and 4 scale and shift channels behind an activation; the one
    with the large factor is 0 almost always, and no layer reads the result, so
    that equalization cannot help.
    """
    network = Network((SIDE, SIDE, 3))
    network.conv(CHANNELS, kernel=3, stride=2)
    network.depthwise()
    network.conv(CHANNELS)
    network.elementwise("MUL", [1.0, 0.7, 1.5, 0.9, 1.2, 400.0])
    shifted = network.elementwise("ADD", [-0.3, 0.1, -0.2, 0.3, -0.1, 0.2])
    network.conv(CHANNELS)
    network.add(shifted)
    network.conv(2 * CHANNELS, activation=NONE)
    network.dense(CLASSES)
    network.softmax()
    model = flatbuffer.read(network.save(path))
    bias = layers.find(model)[2].bias
    values = constants.read(model, model.subgraphs[0].tensors[bias])
    values[-1] = -20
    constants.replace(path, path, {bias: values})
    return path


def examples(count: int, seed: int = 1) -> dict[str, np.ndarray]:
    """Returns inputs of the separable network: noise around a colour."""
    random = np.random.default_rng(seed)
    colour = random.normal(0, 1, (count, 1, 1, 3))
    noise = random.normal(0, 0.3, (count, SIDE, SIDE, 3))
    return {"x": (colour + noise).astype(np.float32)}


def quantized(
    parent: pathlib.Path, path: pathlib.Path, **rule: object
) -> pathlib.Path:
    """Writes what LiteRT Quantizer makes of a float model."""
    fields = {"operation": "*", "mode": "static"} | rule
    ranges = litert_quantizer.calibrate(parent, examples(40))
    path.write_bytes(
        litert_quantizer.quantize(
            parent, [conversion.QuantizerRule(**fields)], ranges.values
        )
    )
    return path


def shifted(source: pathlib.Path, destination: pathlib.Path) -> pathlib.Path:
    """Writes an int8 network with one bias of its last layer far off."""
    model = flatbuffer.read(source)
    bias = layers.find(model)[-1].bias
    values = constants.read(model, model.subgraphs[0].tensors[bias])
    values[0] += 5000
    constants.replace(source, destination, {bias: values})
    return destination
