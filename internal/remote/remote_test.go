package remote_test

import (
	"net/http/httptest"
	"net/netip"
	"testing"

	"newsie/internal/remote"
)

func TestForwardedAddressesCountAsFarAsProxiesAreTrusted(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.1/32")}
	for _, tt := range []struct {
		name, from string
		forwarded  []string
		want       string
	}{
		{"nobody's proxy", "203.0.113.5:80", []string{"198.51.100.1"}, "203.0.113.5"},
		{"a trusted proxy", "10.1.2.3:80", []string{"198.51.100.1"}, "198.51.100.1"},
		{"what a stranger put before", "10.1.2.3:80", []string{"6.6.6.6, 198.51.100.1"}, "198.51.100.1"},
		{"two proxies", "127.0.0.1:80", []string{"6.6.6.6", "198.51.100.1, 10.9.9.9"}, "198.51.100.1"},
		{"mapped IPv4", "[::ffff:10.1.2.3]:80", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"a zone", "10.1.2.3:80", []string{"fe80::1%eth0"}, "fe80::1"},
		{"nonsense", "10.1.2.3:80", []string{"<script>"}, "10.1.2.3"},
		{"no header", "10.1.2.3:80", nil, "10.1.2.3"},
		{"no port", "@", nil, "@"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = tt.from
		r.Header["X-Forwarded-For"] = tt.forwarded
		if got := remote.Address(r, proxies); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
