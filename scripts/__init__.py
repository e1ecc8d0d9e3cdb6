# SPDX-License-Identifier: Apache-2.0
"""Command line programs; the only place where flags live."""
