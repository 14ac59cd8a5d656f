"""Reached over HTTP: the door for answers of deferred steps."""
