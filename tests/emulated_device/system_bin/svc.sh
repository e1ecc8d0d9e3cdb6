#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
if [ "$1 $2" != "power stayon" ]; then
  echo "svc: unknown command $1 $2" >&2
  exit 1
fi
case $3 in
  true) value=15 ;;
  false) value=0 ;;
  ac) value=1 ;;
  usb) value=2 ;;
  wireless) value=4 ;;
  *) echo "usage: svc power stayon [true|false|usb|ac|wireless]" >&2; exit 1 ;;
esac
settings put global stay_on_while_plugged_in $value
# It also turns the screen on.
if [ $value -gt 0 ]; then echo Awake > "$EMULATED_STATE/wakefulness"; fi
