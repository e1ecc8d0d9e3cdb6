# SPDX-License-Identifier: Apache-2.0
"""Reports in the forms of other tools: each where that tool is installed."""
