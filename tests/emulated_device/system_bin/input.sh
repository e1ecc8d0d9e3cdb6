#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
case "$1 $2" in
  "keyevent KEYCODE_WAKEUP" | "keyevent 224")
    echo Awake > "$EMULATED_STATE/wakefulness" ;;
  "keyevent KEYCODE_SLEEP" | "keyevent 223")
    echo Asleep > "$EMULATED_STATE/wakefulness" ;;
  *) echo "Error: Unknown command: $1" >&2; exit 1 ;;
esac
