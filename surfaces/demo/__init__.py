"""The demo: the main job in the terminal, with a company of its own and two faults on the way."""
