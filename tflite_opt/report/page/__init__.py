# SPDX-License-Identifier: Apache-2.0
"""The pages that show a run, or two, in a browser.

A page is one file that opens offline: styles, scripts and data are in it, and
its content security policy refuses any request. Knows records and charts;
nothing here measures.
"""
