.PHONY: build test lint bench crash run

build:
	go build -trimpath -o newsie ./cmd/newsie

test:
	scripts/test.sh

lint:
	scripts/lint.sh

bench:
	scripts/bench.sh

crash:
	scripts/crash.sh

run:
	go run ./cmd/newsie serve --demo
