# SPDX-License-Identifier: Apache-2.0
"""The stage that measures latency and memory on this machine.

The unit of replication is the launch: a process of its own that imports
LiteRT only. No TensorFlow anywhere.
"""
