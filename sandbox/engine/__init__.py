"""What all twelve systems share: storage, authentication, rate limits, keys, faults, and the counting of effects."""
