"""The proof that experience corrects confidence: simulated decisions through the real scoring path."""
