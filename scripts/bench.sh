#!/usr/bin/env bash
# Runs the benchmarks (those whose names match the first argument, when there is
# one), on SQLite and, where its programs are installed, a throw-away PostgreSQL
# with default settings.
set -euo pipefail
cd "$(dirname "$0")/.."

scratch=$(mktemp -d)
. scripts/postgres.sh
trap 'stop_postgres; rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

if [ -z "${NEWSIE_TEST_POSTGRES:-}" ] && find_postgres; then start_postgres; fi
packages=$(grep -rl --include='*_test.go' '^func Benchmark' . | xargs -n1 dirname | sort -u)
go test -run '^$' -bench "${1:-.}" -timeout 60m $packages
