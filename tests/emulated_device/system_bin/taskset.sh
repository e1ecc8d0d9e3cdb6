#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# toybox takes the bare hexadecimal mask first.
case $1 in
  -*) echo "taskset: Unknown option '${1#-}'" >&2; exit 1 ;;
esac
mask=$((0x$1)) || exit 1
shift
if [ $((mask & $(cat "$EMULATED_STATE/online_mask"))) -eq 0 ]; then
  echo "taskset: can't set affinity: Invalid argument" >&2
  exit 1
fi
export EMULATED_CPU_MASK=$mask
exec "$@"
