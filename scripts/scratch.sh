#!/usr/bin/env bash
# Says where tests keep their scratch files, as settings for env: in memory, where
# there is room for them and programs may be run there (a container's /dev/shm
# often is of 64 MB, and noexec). They write and fsync small files all the time.
# Who has set TMPDIR has decided. What go builds stays on the disk.
set -euo pipefail
memory=/dev/shm
room=$((4 << 20)) # KiB
[[ -z ${TMPDIR-} && -w $memory ]] || exit 0
free=$(df -Pk "$memory" | awk 'NR == 2 { print $4 }')
((free > room)) || exit 0
program=$(mktemp "$memory/scratch.XXXXXX")
trap 'rm -f "$program"' EXIT
printf '#!/bin/sh\n' >"$program"
chmod +x "$program"
"$program" 2>/dev/null || exit 0
echo "TMPDIR=$memory GOTMPDIR=/tmp"
