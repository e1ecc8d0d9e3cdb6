#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
log=$EMULATED_STATE/logcat
tags= follows=1 pattern= process= silent=
while [ $# -gt 0 ]; do
  case $1 in
    -c | --clear) : > "$log"; exit 0 ;;
    -d) follows= ;;
    -v | -b | -T) shift ;;
    -e) pattern=$2; shift ;;
    --regex=*) pattern=${1#*=} ;;
    --pid=*) process=${1#*=} ;;
    -s) silent=1 ;;
    \*:S | \*:s) silent=1 ;;
    -*) echo "Unknown option $1" >&2; exit 1 ;;
    *) tags="$tags${tags:+|}${1%%:*}" ;;
  esac
  shift
done
[ -n "$silent" ] || tags=
[ -z "$tags" ] || tags=" ($tags) *: "
[ -z "$process" ] || process="^[^ ]+ [^ ]+ +$process "
filter() {
  grep -E --line-buffered -e "$tags" |
    grep -E --line-buffered -e "$pattern" |
    grep -E --line-buffered -e "$process"
}
if [ -n "$follows" ]; then
  tail -n +1 -F "$log" | filter
else
  filter < "$log"
fi
exit 0
