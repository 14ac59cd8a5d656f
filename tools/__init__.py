"""What touches the world: the contract, the catalog, invocation, and one file for each system."""
