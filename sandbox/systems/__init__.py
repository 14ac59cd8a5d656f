"""The nine systems, one file each."""
