"""What was decided: the plan language, its type checker, its drawing. Pure functions, no I/O."""
