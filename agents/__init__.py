"""Who decides: the ports, the offline rules, and (later) models. What they return is a decision first, text second."""
