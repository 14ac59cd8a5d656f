"""The command line: `steward`. One file for each family of commands, sync only at its edge."""
