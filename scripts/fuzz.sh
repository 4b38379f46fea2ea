#!/usr/bin/env bash
# Runs every fuzz target of the module for the time given, one
# after another, since go test takes one target at a time. A number of inputs
# (20000x, the default) rather than a time makes the same work on every machine.
set -euo pipefail
cd "$(dirname "$0")/.."
duration=${1:-20000x}
found=0
while IFS=: read -r file line; do
	target=${line#func }
	target=${target%%(*}
	echo "fuzzing $target in $(dirname "$file") for $duration"
	go test -vet=off -run='^$' -fuzz="^$target\$" -fuzztime="$duration" -fuzzminimizetime=10x "./$(dirname "$file")"
	found=$((found + 1))
done < <(grep -rH --include='*_test.go' '^func Fuzz' internal)
echo "$found fuzz targets ran"
