"""Agents that ask a model: adapters for the ports, and one desk through which every question goes."""
