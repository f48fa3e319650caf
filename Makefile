.PHONY: build test lint bench run

build:
	go build -trimpath -o newsie ./cmd/newsie

test:
	scripts/test.sh

lint:
	scripts/lint.sh

bench:
	scripts/bench.sh

run:
	go run ./cmd/newsie serve --demo
