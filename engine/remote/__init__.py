"""Models that are computed by servers: OpenAI-compatible endpoints which give the log-probabilities of tokens."""
