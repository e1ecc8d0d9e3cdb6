# SPDX-License-Identifier: Apache-2.0
"""Measures `.tflite` files on Android devices over adb.

Takes from tflite_opt its records, the reader of `.tflite` files and the
statistics of benchmarks; never imports TensorFlow.
"""
