"""Month ends: what is counted, locked, corrected and released."""
