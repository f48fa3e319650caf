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
if ! sed -n '/^```yaml$/,/^```$/p' docs/configuration.md | sed '1d;$d' | cmp -s - cmd/newsie/newsie.example.yaml; then
	echo "docs/configuration.md does not show cmd/newsie/newsie.example.yaml as it is"
	status=1
fi
exit $status
