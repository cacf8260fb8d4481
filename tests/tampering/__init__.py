"""Changes made to the database behind the application, and whether they are named."""
