# SPDX-License-Identifier: Apache-2.0
"""Finds recipes whose artifacts nothing beats in accuracy, latency and size.

What a trial is comes from records alone, so that a search can be stopped,
resumed and carried out anywhere with the same trials.
"""
