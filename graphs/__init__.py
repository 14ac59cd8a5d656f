"""How a run flows: the LangGraph state machine, the dispatcher, the fold, replay."""
