package browsertest

import (
	"context"
	"fmt"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// A Step is something a reader does, or waits for. Any of chromedp's actions
// without a result is one too.
type Step = chromedp.Action[chromedp.Void]

// Look sets the window and the reader's colours, "light" or "dark". Below 600
// pixels of width it is a phone.
func Look(width, height int64, scheme string) Step {
	return func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		if _, err := cdp.Call(ctx, tab, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 600}); err != nil {
			return chromedp.Void{}, err
		}
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}})
		return chromedp.Void{}, err
	}
}

// Scripts lets pages run scripts, or does not, from the next page on.
func Scripts(on bool) Step {
	return func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
		return chromedp.Void{}, err
	}
}

// Speak has the browser ask for pages in a language, from the next one on.
func Speak(lang string) Step {
	return func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		agent, err := chromedp.Evaluate[string](`navigator.userAgent`)(ctx, tab)
		if err == nil {
			_, err = cdp.Call(ctx, tab, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: agent, AcceptLanguage: lang})
		}
		return chromedp.Void{}, err
	}
}

// OnEveryPage evaluates JavaScript in each page from the next one on, before
// the page's own.
func OnEveryPage(js string) Step {
	return func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, tab, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: js})
		return chromedp.Void{}, err
	}
}

// Run evaluates a JavaScript expression for its effect.
func Run(js string) Step {
	return func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Evaluate[bool]("("+js+", true)")(ctx, tab)
		return chromedp.Void{}, err
	}
}

// Until waits for a condition in the page, a JavaScript expression, for 15
// seconds.
func Until(js string) Step {
	return func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		met, err := chromedp.Evaluate[bool](`new Promise(met => {
			const end = Date.now() + 15000;
			const look = () => (`+js+`) ? met(true) : Date.now() > end ? met(false) : setTimeout(look, 20);
			look();
		})`, chromedp.EvalAwaitPromise)(ctx, tab)
		if err == nil && !met {
			err = fmt.Errorf("never true: %s", js)
		}
		return chromedp.Void{}, err
	}
}
