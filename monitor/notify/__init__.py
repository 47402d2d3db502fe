"""Who is told of alerts: routes, the outbox, messages, and one module for each channel."""
