# SPDX-License-Identifier: Apache-2.0
"""The stage that turns one Keras model into many `.tflite` files.

`convert` runs in the user's process and imports no TensorFlow; `worker` is
the child process that does the work and may crash.
"""
