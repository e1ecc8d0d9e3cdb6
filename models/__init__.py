# SPDX-License-Identifier: Apache-2.0
"""Reference models, one file each with a `build()`, and the sample model."""
