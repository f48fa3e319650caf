-- +goose Up

-- Claims look for one channel's rows: another's backlog must not slow them down.
CREATE INDEX deliveries_channel ON deliveries (channel, state, due_at);

-- +goose Down
DROP INDEX deliveries_channel;
