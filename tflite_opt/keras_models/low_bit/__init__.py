# SPDX-License-Identifier: Apache-2.0
"""Weights of one or two bits: each channel has a scale, each weight a sign."""
