"""Agents that need no key and no network: rules that say they are rules."""
