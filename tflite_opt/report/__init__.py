# SPDX-License-Identifier: Apache-2.0
"""The stage that turns the records of a run into tables, a plot and advice.

Needs neither TensorFlow nor the interpreter nor a phone.
"""
