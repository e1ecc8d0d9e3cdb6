# SPDX-License-Identifier: Apache-2.0
"""The only code that touches the flatbuffer and the interpreter.

Imports LiteRT and numpy, never TensorFlow.
"""
