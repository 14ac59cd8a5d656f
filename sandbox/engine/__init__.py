"""What all nine systems share: storage, authentication, rate limits, keys, faults, and the counting of effects."""
