#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
if [ -f "$EMULATED_STATE/app" ]; then
  read -r package pid < "$EMULATED_STATE/app"
  if [ "$package" = "$1" ] && kill -0 "$pid" 2>/dev/null; then
    echo "$pid"
    exit 0
  fi
fi
exit 1
