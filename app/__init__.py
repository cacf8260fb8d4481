"""The application: rules, use cases, tables, and the staff's HTTP face. Sends nothing itself."""
