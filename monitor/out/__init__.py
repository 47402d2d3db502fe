"""What siaga gives to other monitoring tools: /metrics, remote write, a stream of events."""
