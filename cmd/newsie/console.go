package main

import (
	"fmt"
	"time"

	"newsie/bot/origin"
	"newsie/internal/web/console"
)

// console makes the publisher's pages.
func (s *server) console() (*console.Console, error) {
	proxies, err := s.config.proxies()
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(s.config.Zone)
	if err != nil {
		return nil, fmt.Errorf("zone: %w", err)
	}
	return console.New(console.Config{
		Users: s.users(), Catalog: s.catalog, Pacer: s.channels.pacer, PublicURL: s.public, Name: s.config.Name, TrustedProxies: proxies, Zone: zone, Logger: s.log,
		Reports: origin.NewReports(s.db, zone, time.Now), Book: origin.NewBook(s.db, time.Now),
	})
}
