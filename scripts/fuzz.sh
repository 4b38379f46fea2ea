#!/usr/bin/env bash
# Runs fuzz targets one after another, since go test takes one at a time:
#
#   fuzz.sh [DURATION [TARGET...]]   all of them, or those named as -l names them
#   fuzz.sh -l                       names them: internal/op.FuzzRead
#
# A number of inputs (20000x, the default) rather than a time makes the same work
# on every machine.
set -euo pipefail
cd "$(dirname "$0")/.."
all() {
	grep -rH --include='*_test.go' '^func Fuzz' internal | sed -E 's#/[^/]*:func ([A-Za-z0-9_]*).*#.\1#' | sort
}
if [[ ${1-} == -l ]]; then
	all
	exit
fi
duration=${1:-20000x}
targets=("${@:2}")
((${#targets[@]})) || mapfile -t targets < <(all)
for target in "${targets[@]}"; do
	echo "fuzzing $target for $duration"
	go test -vet=off -run='^$' -fuzz="^${target##*.}\$" -fuzztime="$duration" -fuzzminimizetime=10x "./${target%.*}"
done
echo "${#targets[@]} fuzz targets ran"
