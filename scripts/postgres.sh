# Sourced by test.sh, bench.sh and crash.sh: a throw-away PostgreSQL in the folder
# $scratch/postgres, reached by a socket in that folder only.

postgres_user= # the command that runs PostgreSQL's programs as their user

# Debian keeps the server's programs out of PATH.
find_postgres() {
	local folder
	for folder in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -Vr); do PATH=$PATH:$folder; done
	command -v initdb >/dev/null && command -v pg_ctl >/dev/null
}

# The server refuses to run as root, so root hands it to another user.
start_postgres() {
	local home=$scratch/postgres as=env user=nobody
	mkdir "$home" && chmod 711 "$scratch"
	if [ "$(id -u)" -eq 0 ]; then
		if id postgres >/dev/null 2>&1; then user=postgres; fi
		chown "$user" "$home" && as="runuser -u $user --"
	fi
	(
		cd "$home" && $as initdb -D data -U newsie -A trust -E UTF8 --locale=C --no-sync &&
			$as pg_ctl -D data -w -l log -o "-k '$home' -c listen_addresses= -c max_connections=300 $*" start
	) >"$scratch/postgres.log" 2>&1 </dev/null || { tail -n 5 "$scratch/postgres.log" && return 1; }
	postgres_user=$as
	export NEWSIE_TEST_POSTGRES="postgres://newsie@/postgres?host=$home&sslmode=disable"
}

stop_postgres() {
	if [ -n "$postgres_user" ]; then $postgres_user pg_ctl -D "$scratch/postgres/data" -m immediate -s stop; fi
}
