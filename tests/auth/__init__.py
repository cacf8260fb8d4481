"""Signing in, through HTTP."""
