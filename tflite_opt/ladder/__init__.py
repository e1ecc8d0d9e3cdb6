# SPDX-License-Identifier: Apache-2.0
"""Automatic recipes: the cheapest correction that meets a target."""
