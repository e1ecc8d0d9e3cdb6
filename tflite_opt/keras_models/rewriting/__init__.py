# SPDX-License-Identifier: Apache-2.0
"""Rewrites a functional model into one that computes the same.

`graph` reads a model into steps and builds one from them; each other module
holds rules that change steps and no output.
"""
