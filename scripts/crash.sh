#!/usr/bin/env bash
# The crash test: a digest to CRASH_DELIVERIES chats (20,000) of a played Telegram
# that breaks connections, while newsie is killed CRASH_KILLS times (40); on SQLite,
# and where its programs are installed on a throw-away PostgreSQL with three
# processes, once more with that server restarted as a crash would. It ends with a
# table, and fails when a message was lost or doubled. CRASH_SEED repeats a run's
# chances. The first argument chooses trials: sqlite, postgres/skip, restarted, …
set -euo pipefail
cd "$(dirname "$0")/.."

scratch=$(mktemp -d)
. scripts/postgres.sh
trap 'stop_postgres; rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

if find_postgres; then
	start_postgres # one of its own: nobody else's may be restarted
	export CRASH_RESTART="cd '$scratch/postgres' && $postgres_user pg_ctl -D '$scratch/postgres/data' -m immediate -w -l log restart"
else
	echo "No PostgreSQL here: SQLite alone"
	unset CRASH_RESTART NEWSIE_TEST_POSTGRES
fi
export CRASH_DELIVERIES="${CRASH_DELIVERIES:-20000}" CRASH_KILLS="${CRASH_KILLS:-40}" CRASH_TABLE="$scratch/table"
export CRASH_SEED="${CRASH_SEED:-$RANDOM$RANDOM}"
echo "CRASH_SEED=$CRASH_SEED"
status=0
go test -count 1 -v -timeout 3h -run "^TestCrashes\$/${1:-.}" ./cmd/newsie </dev/null || status=1
echo
cat "$CRASH_TABLE" 2>/dev/null || true
exit $status
