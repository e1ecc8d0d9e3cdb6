# SPDX-License-Identifier: Apache-2.0
"""Weights of one or two bits: each channel has a scale, each weight a sign.

No TFLite kernel computes with such weights and no format of TFLite stores
them; they are stored as int8 or int4 like all others.
"""
