"""Invariants of the database, checked by queries (`qungong doctor`). Repairs nothing."""
