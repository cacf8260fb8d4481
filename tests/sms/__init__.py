"""Tests of the text-message edge."""
