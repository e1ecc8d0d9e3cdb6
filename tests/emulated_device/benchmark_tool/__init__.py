# SPDX-License-Identifier: Apache-2.0
"""A `benchmark_model` that runs models with LiteRT and prints like C++'s.

References:
    tflite/tools/benchmark and litert/tools/benchmark_litert_model.h in
    https://github.com/google-ai-edge/LiteRT
"""
