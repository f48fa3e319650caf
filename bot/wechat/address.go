package wechat

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/silenceper/wechat/v2/util"

	"newsie/bot"
)

// Path is where the messages of a channel's account arrive, below public_url.
func Path(channel string) string { return "/hooks/wechat/" + channel }

// Address is what the publisher types into the account's server settings; ""
// without a public_url.
func (c *Channel) Address() string {
	if c.cfg.PublicURL == "" {
		return ""
	}
	return c.cfg.PublicURL + Path(c.cfg.Name)
}

// checkAddress looks whether the platform could call us there, and calls it as
// the platform does when the address is saved.
func (c *Channel) checkAddress(ctx context.Context) []bot.Finding {
	if c.cfg.PublicURL == "" {
		return []bot.Finding{{What: "public_url is not set, so there is no address for WeChat to call",
			Advice: "set public_url to the https address at which the internet reaches newsie"}}
	}
	address := c.Address()
	if reason := uncallable(address); reason != "" {
		return []bot.Finding{{What: "server address " + address + ": " + reason,
			Advice: "WeChat calls port 443 (https) or 80 (http) of a name or address that the internet knows: put a reverse proxy there and set public_url"}}
	}
	told := bot.Finding{OK: true, What: "server address to type into the platform's server settings: " + address}
	if strings.HasPrefix(address, "http:") && c.cfg.Mode != Safe {
		told.Advice = "what readers write passes the internet in the open: https, or safe mode, hides it"
	}
	return []bot.Finding{told, c.callAddress(ctx, address)}
}

// uncallable tells why the platform cannot call an address.
func uncallable(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "it is no address"
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	if want := map[string]string{"http": "80", "https": "443"}[u.Scheme]; want == "" || port != want {
		return fmt.Sprintf("WeChat calls no port %s by %s", port, u.Scheme)
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	ip, err := netip.ParseAddr(host)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || !strings.Contains(host, ".") && err != nil ||
		err == nil && (ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsUnspecified()) {
		return host + " is known on this machine or its network only"
	}
	return ""
}

const addressTimeout = 10 * time.Second

// callAddress asks the address for its echo, signed.
func (c *Channel) callAddress(ctx context.Context, address string) bot.Finding {
	ctx, cancel := context.WithTimeout(ctx, addressTimeout)
	defer cancel()
	timestamp, nonce, echo := strconv.FormatInt(c.cfg.Now().Unix(), 10), rand.Text(), rand.Text()
	query := url.Values{"timestamp": {timestamp}, "nonce": {nonce}, "echostr": {echo},
		"signature": {util.Signature(c.cfg.Token, timestamp, nonce)}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"?"+query.Encode(), nil)
	if err != nil {
		return bot.Finding{What: "the server address: " + err.Error(), Advice: "correct public_url"}
	}
	client := http.Client{Transport: c.cfg.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		return unreachable(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, 4<<10))
	switch status := response.StatusCode; {
	case err != nil:
		return unreachable(err)
	case status == http.StatusOK && string(body) == echo:
		return bot.Finding{OK: true, What: "the server address answers as WeChat wants it"}
	case status == http.StatusForbidden:
		return bot.Finding{What: "the server address refuses a signed request (403)",
			Advice: "the newsie that answers there has another token for this channel, or a clock more than ten minutes off"}
	case status >= 300 && status < 400:
		return bot.Finding{What: fmt.Sprintf("the server address leads elsewhere (%d), and WeChat does not follow", status),
			Advice: "set public_url to where it leads, such as https:// instead of http://"}
	case status == http.StatusNotFound:
		return bot.Finding{What: "the server address is not known there (404)",
			Advice: "the newsie that answers has no channel " + c.cfg.Name + ", or the proxy passes " + Path(c.cfg.Name) + " to another program"}
	default:
		return bot.Finding{What: fmt.Sprintf("the server address answers %d and not what was asked", status),
			Advice: "something between here and newsie answers in its place: look at the reverse proxy"}
	}
}

// unreachable tells of a call that brought no answer, without its address,
// whose signature is good for ten minutes.
func unreachable(err error) bot.Finding {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	f := bot.Finding{What: "the server address does not answer: " + err.Error(),
		Advice: "start newsie serve, and look at the name, the proxy and the firewall; from inside some networks the public address cannot be reached"}
	var untrusted *tls.CertificateVerificationError
	if errors.As(err, &untrusted) {
		f.Advice = "WeChat wants a certificate that everybody trusts: look at the one of the reverse proxy"
	}
	return f
}
