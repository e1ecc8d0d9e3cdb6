#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
store=$EMULATED_STATE/settings/$2
if [ ! -d "$store" ]; then
  echo "Invalid namespace '$2'" >&2
  exit 255
fi
case $1 in
  get) if [ -f "$store/$3" ]; then cat "$store/$3"; echo; else echo null; fi ;;
  put) printf %s "$4" > "$store/$3" ;;
  delete)
    if [ -f "$store/$3" ]; then
      rm "$store/$3"
      echo "Deleted 1 rows"
    else
      echo "Deleted 0 rows"
    fi
    ;;
  list)
    for file in "$store"/*; do
      if [ -f "$file" ]; then echo "$(basename "$file")=$(cat "$file")"; fi
    done
    ;;
  *) echo "Unknown command: $1" >&2; exit 255 ;;
esac
