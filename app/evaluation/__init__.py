"""Asking citizens how satisfied they are, back to back: what they answer never shows in a case or to who handled it."""
