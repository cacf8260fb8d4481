"""Surveys: reading, receiving, calling back."""
