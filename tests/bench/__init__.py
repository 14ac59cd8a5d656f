"""The bench: Steward and bare LangGraph at the same work, in one session on one server. `make bench` runs it."""
