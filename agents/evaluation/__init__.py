"""What the deciders are measured by: requests in words, and what a right answer to each satisfies."""
