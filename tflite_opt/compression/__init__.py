# SPDX-License-Identifier: Apache-2.0
"""Applies the compression steps of recipes, each in a process of its own.

Models that several recipes begin with are made once.
"""
