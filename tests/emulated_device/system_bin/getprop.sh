#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
if [ $# -eq 0 ]; then
  exec cat "$EMULATED_STATE/properties"
fi
value=$(sed -n "s/^\[$1\]: \[\(.*\)\]\$/\1/p" "$EMULATED_STATE/properties")
echo "${value:-$2}"
