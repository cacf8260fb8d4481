"""Tests of what all kinds of matter share."""
