#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A package is a file that names itself in its text.
packages=$EMULATED_STATE/packages
action=$1
shift
size=
while :; do
  case $1 in
    -S) size=$2; shift 2 ;;
    -*) shift ;;
    *) break ;;
  esac
done
case $action in
  install)
    file=$1
    if [ -n "$size" ]; then
      file=$EMULATED_STATE/incoming.apk
      head -c "$size" > "$file"
    fi
    if [ ! -f "$file" ]; then
      echo "Error: Unable to open file: $file" >&2
      exit 1
    fi
    name=$(grep -ao 'emulated-package:[a-z.]*' "$file" | head -n 1)
    if [ -z "$name" ]; then
      echo "Failure [INSTALL_FAILED_INVALID_APK: Failed to parse $file]"
      exit 1
    fi
    cp "$file" "$packages/${name#*:}"
    echo Success
    ;;
  uninstall)
    if [ ! -f "$packages/$1" ]; then
      echo "Failure [DELETE_FAILED_INTERNAL_ERROR]"
      exit 1
    fi
    am force-stop "$1"
    rm "$packages/$1"
    echo Success
    ;;
  list)
    for file in "$packages"/*; do
      if [ -f "$file" ]; then echo "package:$(basename "$file")"; fi
    done | grep -F "${2:-package:}"
    exit 0
    ;;
  path)
    if [ ! -f "$packages/$1" ]; then exit 1; fi
    echo "package:/data/app/$1/base.apk"
    ;;
  *) echo "Unknown command: $action" >&2; exit 255 ;;
esac
