"""The twelve systems, one file each."""
