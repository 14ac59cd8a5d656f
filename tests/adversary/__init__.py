"""Adversaries in the places of planner and reader, and an oracle that knows nothing of the checker."""
