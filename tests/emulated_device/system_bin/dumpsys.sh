#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
case $1 in
  power)
    # Others may wake the phone without its condition being changed.
    echo "POWER MANAGER (dumpsys power)"
    echo "  mWakefulness=$(cat "$EMULATED_STATE/wakefulness")"
    ;;
  battery)
    if [ -n "$2" ]; then exit 0; fi
    exec cat "$EMULATED_STATE/dumpsys/battery"
    ;;
  *)
    if [ ! -f "$EMULATED_STATE/dumpsys/$1" ]; then
      echo "Can't find service: $1" >&2
      exit 0
    fi
    exec cat "$EMULATED_STATE/dumpsys/$1"
    ;;
esac
