#!/usr/bin/env bash
# Format and static checks; prints every complaint, fails if there is one.
set -uo pipefail
cd "$(dirname "$0")/.."

status=0
unformatted=$(gofmt -l .) || status=1
if [ -n "$unformatted" ]; then
	echo "gofmt -w would change:"
	echo "$unformatted"
	status=1
fi
go vet ./... || status=1
go tool staticcheck ./... || status=1
exit $status
