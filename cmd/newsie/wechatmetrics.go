package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"newsie/bot/wechat"
)

// wechatCollector tells, when somebody looks, what WeChat accounts have sent of
// what they may, which all replicas share, and what this process has refused.
type wechatCollector struct {
	accounts             []*wechat.Channel
	used, limit, refused *prometheus.Desc
}

func newWeChatCollector(accounts []*wechat.Channel) wechatCollector {
	return wechatCollector{
		accounts: accounts,
		used: prometheus.NewDesc("newsie_wechat_quota_used",
			"Messages an account has sent in the Beijing day (mass sends of service accounts: month), by way.", []string{"channel", "quota"}, nil),
		limit: prometheus.NewDesc("newsie_wechat_quota_limit",
			"Messages that WeChat takes of an account in that time; there is none where it tells no figure.", []string{"channel", "quota"}, nil),
		refused: prometheus.NewDesc("newsie_wechat_refused_total",
			"Requests to an account's address that were refused, by reason.", []string{"channel", "reason"}, nil),
	}
}

func (c wechatCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- c.used
	ch <- c.limit
	ch <- c.refused
}

func (c wechatCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for _, account := range c.accounts {
		name := account.Name()
		for reason, n := range account.Refused() {
			ch <- prometheus.MustNewConstMetric(c.refused, prometheus.CounterValue, float64(n), name, reason)
		}
		quotas, err := account.Quotas(ctx)
		if err != nil {
			ch <- prometheus.NewInvalidMetric(c.used, err)
			continue
		}
		for _, q := range quotas {
			ch <- prometheus.MustNewConstMetric(c.used, prometheus.GaugeValue, float64(q.Used), name, q.Name)
			if q.Limit > 0 {
				ch <- prometheus.MustNewConstMetric(c.limit, prometheus.GaugeValue, float64(q.Limit), name, q.Name)
			}
		}
	}
}
