"""What work is known: the loader, and the playbooks that ship, as data."""
