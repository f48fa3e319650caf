#!/usr/bin/env bash
# Runs the benchmarks (those whose names match the first argument, when there is
# one), on SQLite and, where its programs are installed, a throw-away PostgreSQL
# with default settings.
#
# BENCH_DOCS articles (100,000 when not set) are made up for index and import, or
# composed of the texts in BENCH_DATA, a folder of sets in the BEIR layout
# (DIR/*/corpus.jsonl). Both cores of a small machine are busy for the better part
# of an hour; BENCH_DOCS=10000 takes some minutes. BENCH_CHATS chats get a digest
# on a played Telegram (10,000 as fast as it goes, 1,500 at Telegram's rate), and
# BENCH_FOLLOWS follows (1,000,000) are planned at once.
set -euo pipefail
cd "$(dirname "$0")/.."

scratch=$(mktemp -d)
. scripts/postgres.sh
trap 'stop_postgres; rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

if [ -z "${NEWSIE_TEST_POSTGRES:-}" ] && find_postgres; then start_postgres; fi
export BENCH_DOCS="${BENCH_DOCS:-100000}"
if [ -n "${BENCH_DATA:-}" ]; then BENCH_DATA=$(cd "$BENCH_DATA" && pwd); export BENCH_DATA; fi
packages=$(grep -rl --include='*_test.go' '^func Benchmark' . | xargs -n1 dirname | sort -u)
go test -run '^$' -bench "${1:-.}" -timeout 5h $packages
