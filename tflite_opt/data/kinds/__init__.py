# SPDX-License-Identifier: Apache-2.0
"""Kinds of data sources: one file each, found by being here.

Such a module has `FORMS`, what `DataSpec.source` may be for it, where capitals
after a colon stand for the user's own words; `OPTIONS`, the fields of
`DataSpec` that only some kinds know and it does; and

    load(argument: str, spec: dataset.DataSpec) -> dataset.Dataset

whose `argument` is what follows the colon, or the whole source without one.
To add a kind, write one file and its test. It imports what is slow to import,
or may not be installed, in `load`.
"""
