"""A text from owed to delivered: what is owed, the queue, outcomes and receipts, how much a number gets. Sends nothing."""
