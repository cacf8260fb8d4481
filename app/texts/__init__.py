"""Text messages from outbox to delivery receipt: queue, outcomes, receipts, throttle. Sends nothing."""
