#!/usr/bin/env bash
# Runs every check that this machine allows and ends with a list of what it left
# out. As root on Debian it installs what is missing: PostgreSQL, Chromium with
# CJK fonts, Node.js, a C compiler for the race detector, and what shows PDF and SVG. Arguments are packages to test,
# ./... when there are none.
#
#   NEWSIE_TEST_POSTGRES  a PostgreSQL to test on; without it a throw-away one is started
#   NEWSIE_TEST_NPM       a folder with opencc-js, wechat-crypto and telegram-test-api in its node_modules; without it npm brings them
#   NEWSIE_TEST_ALL=1     fail when anything was left out
#   NEWSIE_ARTIFACTS      folder for the browser's pictures (default artifacts/)
set -uo pipefail
cd "$(dirname "$0")/.."

export NEWSIE_ARTIFACTS=${NEWSIE_ARTIFACTS:-$PWD/artifacts}
mkdir -p "$NEWSIE_ARTIFACTS"
scratch=$(mktemp -d)
left_out=$scratch/left-out
: >"$left_out"
. scripts/postgres.sh

leave_out() { echo "$*" >>"$left_out"; }
have() { command -v "$1" >/dev/null; }

finish() {
	stop_postgres
	rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 130' INT TERM

has_browser() { have chromium || have chromium-browser || have google-chrome; }
has_fonts() { [ -n "$(fc-list :lang=zh-cn 2>/dev/null)" ]; }
has_compiler() { have "$(go env CC)"; }

install_packages() {
	local wanted=()
	[ -n "${NEWSIE_TEST_POSTGRES:-}" ] || find_postgres || wanted+=(postgresql)
	has_browser || wanted+=(chromium)
	has_fonts || wanted+=(fonts-noto-cjk fontconfig)
	have pdftoppm || wanted+=(poppler-utils)
	have rsvg-convert || wanted+=(librsvg2-bin)
	has_compiler || wanted+=(gcc libc6-dev)
	[ -n "${NEWSIE_TEST_NPM:-}" ] || have npm || wanted+=(nodejs npm)
	if [ ${#wanted[@]} -eq 0 ] || [ "$(id -u)" -ne 0 ] || ! have apt-get; then return; fi
	echo "Installing ${wanted[*]}"
	export DEBIAN_FRONTEND=noninteractive
	{ apt-get update -q && apt-get install -y -q --no-install-recommends "${wanted[@]}"; } >"$scratch/apt.log" 2>&1 </dev/null ||
		{ echo "apt-get did not manage:" && tail -n 5 "$scratch/apt.log"; }
}

install_packages
if [ -z "${NEWSIE_TEST_POSTGRES:-}" ]; then
	if ! find_postgres; then
		echo "No PostgreSQL here: testing on SQLite alone"
	elif ! start_postgres -c fsync=off -c full_page_writes=off; then
		leave_out "PostgreSQL: the server did not start"
	fi
fi
if [ -z "${NEWSIE_TEST_NPM:-}" ]; then
	if have npm && npm install --silent --no-audit --no-fund --prefix "$scratch/npm" opencc-js@1.4.2 wechat-crypto@0.0.2 telegram-test-api@4.2.1 >"$scratch/npm.log" 2>&1; then
		export NEWSIE_TEST_NPM=$scratch/npm
	else
		echo "No npm packages: neither traditional script nor cryptography is compared with another's, and nobody talks over another's Bot API server" && tail -n 5 "$scratch/npm.log" 2>/dev/null
	fi
fi
has_fonts || leave_out "Chinese, Japanese and Korean fonts for the browser's pictures"
# The race detector would look at SQLite, which is C made Go, most of the time. No
# other package can be left out: instances of generic functions are shared by all,
# and the linker takes those of any package. That one has none.
race=(-race "-gcflags=modernc.org/sqlite/lib=-race=false -d=checkptr=0")
if ! has_compiler || [ "$(go env CGO_ENABLED)" != 1 ]; then
	race=()
	leave_out "the race detector: no C compiler"
fi

status=0
echo "== lint"
scripts/lint.sh || status=1
echo "== go test ${race[*]:0:1}"
go build -o "$scratch/testreport" ./scripts/testreport || exit 1
# Tests wait for databases and browsers as much as they compute.
go test "${race[@]}" -p 4 -timeout 20m -parallel 8 -json "${@:-./...}" </dev/null 2>&1 | "$scratch/testreport" -skipped "$left_out" || status=1

# internal/database tests each kind of database by itself.
on_sqlite=$(go list -f '{{$p := .ImportPath}}{{range .XTestImports}}{{if eq . "newsie/internal/database/databasetest"}}{{$p}}{{end}}{{end}}' "${@:-./...}" | grep -v '/internal/database$')
if [ -z "$on_sqlite" ]; then
	:
elif [ -z "${NEWSIE_TEST_POSTGRES:-}" ]; then
	leave_out "what ran on SQLite alone, again on PostgreSQL: there is none"
else
	echo "== go test, what ran on SQLite alone, on PostgreSQL"
	# shellcheck disable=SC2086 # a list of packages
	NEWSIE_TEST_AGAIN_ON_POSTGRES=1 go test -p 4 -timeout 20m -parallel 8 -json $on_sqlite </dev/null 2>&1 | "$scratch/testreport" -skipped "$left_out" || status=1
fi

echo
if [ -s "$left_out" ]; then
	echo "Left out:"
	sed 's/^/  /' "$left_out"
	if [ -n "${NEWSIE_TEST_ALL:-}" ]; then
		echo "NEWSIE_TEST_ALL asks for everything."
		status=1
	fi
else
	echo "Nothing was left out."
fi
if [ $status -eq 0 ]; then echo "All is well."; else echo "FAILED"; fi
exit $status
