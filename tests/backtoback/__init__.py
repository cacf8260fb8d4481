"""Worlds that are equal but for one answer, and everything that those who handle cases, and other residents, see of them."""
