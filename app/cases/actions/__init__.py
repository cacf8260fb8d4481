"""The actions on a case: one function each, always lock, advance, change, record, announce."""
