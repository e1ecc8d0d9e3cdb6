#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
case "$1 $2" in
  "power set-fixed-performance-mode-enabled")
    case $3 in
      true | false) echo "$3" > "$EMULATED_STATE/fixed_performance" ;;
      *) echo "Error: expected true or false" >&2; exit 255 ;;
    esac
    ;;
  "thermalservice override-status") echo "$3" > "$EMULATED_STATE/status_override" ;;
  "thermalservice reset") rm -f "$EMULATED_STATE/status_override" ;;
  "connectivity airplane-mode")
    case $3 in
      enable) settings put global airplane_mode_on 1 ;;
      disable) settings put global airplane_mode_on 0 ;;
      "")
        if [ "$(settings get global airplane_mode_on)" = 1 ]; then
          echo enabled
        else
          echo disabled
        fi
        ;;
    esac
    ;;
  package\ *) shift; exec pm "$@" ;;
  settings\ *) shift; exec settings "$@" ;;
  activity\ *) shift; exec am "$@" ;;
  *) echo "cmd: Can't find service: $1" >&2; exit 20 ;;
esac
