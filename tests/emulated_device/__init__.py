# SPDX-License-Identifier: Apache-2.0
"""Android phones that a real adb server connects to, without a phone.

Run `python -m tests.emulated_device --phones=2` to try it.
"""
