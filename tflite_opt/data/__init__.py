# SPDX-License-Identifier: Apache-2.0
"""Data sets, their seeded splits, and representative samples.

Modules import TensorFlow only inside a function that must download.
"""
