# SPDX-License-Identifier: Apache-2.0
"""Studies behind the figures in prose: resumable, one record for each cell.

A study may use everything else; nothing else uses a study.
"""
