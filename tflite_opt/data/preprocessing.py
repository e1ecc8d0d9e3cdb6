# SPDX-License-Identifier: Apache-2.0
"""What models expect of pixels, by the conventions of keras.applications."""

import numpy as np

from tflite_opt.data import dataset

# Of the images of ImageNet, in red, green, blue; fractions of white.
# https://github.com/keras-team/tf-keras/blob/v2.21.0/tf_keras/applications/imagenet_utils.py
_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_STANDARD_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)

# Likewise in blue, green, red; from 0 to 255, as Caffe's models had it.
_CAFFE_MEAN = np.array([103.939, 116.779, 123.68], np.float32)

_NEEDS_COLOURS = ("imagenet_mean_std", "caffe")


def needs_colours(kind: dataset.Preprocessing) -> bool:
    """Returns whether the formula has another constant for each colour."""
    return kind in _NEEDS_COLOURS


def apply(images: np.ndarray, kind: dataset.Preprocessing) -> np.ndarray:
    """Returns preprocessed images.

    Args:
        images: Shape `(n, height, width, channels)`, float32, from 0 to 255,
            in red, green, blue. Overwritten.
        kind: For a pixel x,

            - `none`: x, as of MobileNetV3 and EfficientNet, which scale
              inside;
            - `unit`: x / 255;
            - `symmetric`: x / 127.5 - 1, Keras' "tf", as of MobileNet and
              Inception;
            - `imagenet_mean_std`: (x / 255 - mean) / standard deviation, by
              colour, Keras' "torch", as of DenseNet;
            - `caffe`: x - mean by colour, in blue, green, red, Keras'
              "caffe", as of VGG and ResNet.

    Returns:
        Same shape, float32.
    """
    if kind == "unit":
        images /= 255
    elif kind == "symmetric":
        images /= 127.5
        images -= 1
    elif kind == "imagenet_mean_std":
        images /= 255
        images -= _MEAN
        images /= _STANDARD_DEVIATION
    elif kind == "caffe":
        images = images[..., ::-1] - _CAFFE_MEAN
    return images
