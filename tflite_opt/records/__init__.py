# SPDX-License-Identifier: Apache-2.0
"""What the stages hand to each other: frozen dataclasses stored as JSON.

Standard library and numpy only; knows nothing of TensorFlow, LiteRT or adb.
"""
