# SPDX-License-Identifier: Apache-2.0
"""Two measured models side by side, and runs against a budget.

Joins what the stages have recorded: latency over launches, accuracy paired by
example, and facts of the files. Knows no flags and measures nothing itself.
"""
