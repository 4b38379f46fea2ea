#!/usr/bin/env bash
# Fails, naming them, if Go files are not formatted.
set -euo pipefail
cd "$(dirname "$0")/.."
unformatted=$(gofmt -l bench cmd internal)
if [[ -n $unformatted ]]; then
	printf 'not formatted (run make fmt):\n%s\n' "$unformatted" >&2
	exit 1
fi
