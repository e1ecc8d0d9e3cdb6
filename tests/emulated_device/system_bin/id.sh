#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
if [ "$1" = -u ]; then echo 2000; else echo "uid=2000(shell) gid=2000(shell)"; fi
