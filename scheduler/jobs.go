package scheduler

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/robfig/cron/v3"

	"newsie/scheduler/timetable"
)

// A Job is something to do again and again.
type Job struct {
	Name    string
	Every   time.Duration
	Spec    string // instead of Every: a cron schedule on the machine's clock
	AtStart bool   // also when the program starts

	Woken <-chan struct{} // also when something comes; nil: not

	Run func(ctx context.Context) error
}

// schedule is when the job runs.
func (j Job) schedule() (cron.Schedule, error) {
	if j.Spec == "" {
		if j.Every <= 0 {
			return nil, fmt.Errorf("job %s has no times", j.Name)
		}
		return cron.Every(j.Every), nil
	}
	spec, err := timetable.Parse(j.Spec)
	if err != nil {
		return nil, fmt.Errorf("job %s: %w", j.Name, err)
	}
	return onMachine{spec}, nil
}

type onMachine struct{ spec timetable.Spec }

func (m onMachine) Next(t time.Time) time.Time { return m.spec.Next(t, t.Location()).At }

// runJobs does the jobs until ctx ends, each never twice at the same time. A
// job that fails or panics is logged and runs again at its next time.
func runJobs(ctx context.Context, jobs []Job, logger *slog.Logger) error {
	say := cronLogger{logger}
	// The default chain of robfig/cron is empty, so that a panic would end the
	// process. Recover is the inner one: a panic that passes through
	// SkipIfStillRunning leaves the job marked as running for ever.
	c := cron.New(cron.WithLogger(say), cron.WithChain(cron.SkipIfStillRunning(say), cron.Recover(say)))
	var started sync.WaitGroup
	for _, job := range jobs {
		schedule, err := job.schedule()
		if err != nil {
			return err
		}
		id := c.Schedule(schedule, cron.FuncJob(func() {
			if ctx.Err() != nil {
				return
			}
			if err := job.Run(ctx); err != nil && ctx.Err() == nil {
				logger.Error("a job failed", "job", job.Name, "error", err)
			}
		}))
		entry := c.Entry(id)
		if job.AtStart {
			started.Go(entry.WrappedJob.Run)
		}
		if job.Woken != nil {
			started.Go(func() {
				for {
					select {
					case <-ctx.Done():
						return
					case <-job.Woken:
						entry.WrappedJob.Run()
					}
				}
			})
		}
	}
	c.Start()
	<-ctx.Done()
	<-c.Stop().Done()
	started.Wait()
	return nil
}

// cronLogger passes on what robfig/cron says.
type cronLogger struct{ logger *slog.Logger }

func (l cronLogger) Info(string, ...any) {} // every run and every skip

func (l cronLogger) Error(err error, msg string, args ...any) {
	l.logger.Error("a job failed: "+msg, append([]any{"error", err}, args...)...)
}
