"""Who is asking: sign-in, sessions, one-time codes, and the actor they yield. Decides nothing about cases."""
