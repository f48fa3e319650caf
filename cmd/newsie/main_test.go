package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the test binary be newsie too: called by such a name it is the
// program itself, or the server it talks to, so that what is tested is a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"newsie": main, "played-telegram": playTelegram})
}
