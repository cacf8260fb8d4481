"""Keeping cases moving: pressing and instructing. Changes no holder and no phase."""
