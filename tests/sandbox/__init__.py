"""Tests of the pretend company, each against the real program over real HTTP."""
