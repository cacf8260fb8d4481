"""What is done to a case: one function per action, always lock, advance, change, record, announce."""
