# SPDX-License-Identifier: Apache-2.0
"""Removes whole channels: which go together, what they cost, what they do."""
