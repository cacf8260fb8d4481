"""What must always be true of the database, asked of the database itself (`qungong doctor`). Repairs nothing."""
