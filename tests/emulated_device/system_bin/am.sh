#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
action=$1
shift
case $action in
  start | start-activity)
    component= arguments= stops=
    while [ $# -gt 0 ]; do
      case $1 in
        -n) component=$2; shift ;;
        -S) stops=1 ;;
        --es)
          case $2 in args | --args) arguments=$3 ;; esac
          shift 2
          ;;
      esac
      shift
    done
    package=${component%%/*}
    if [ -n "$stops" ]; then
      echo "Stopping: $package"
      am force-stop "$package"
    fi
    echo "Starting: Intent { cmp=$component (has extras) }"
    if [ ! -f "$EMULATED_STATE/packages/$package" ]; then
      echo "Error type 3"
      echo "Error: Activity class {$component} does not exist."
      exit 1
    fi
    setsid "$EMULATED_PYTHON" "$EMULATED_STATE/packages/$package" \
      --as-app "$arguments" </dev/null >/dev/null 2>&1 &
    echo "$package $!" > "$EMULATED_STATE/app"
    ;;
  force-stop)
    if [ -f "$EMULATED_STATE/app" ]; then
      read -r package pid < "$EMULATED_STATE/app"
      if [ "$package" = "$1" ]; then
        kill -9 "-$pid" 2>/dev/null || kill -9 "$pid" 2>/dev/null
        rm "$EMULATED_STATE/app"
      fi
    fi
    exit 0
    ;;
  *) echo "Unknown command: $action" >&2; exit 255 ;;
esac
