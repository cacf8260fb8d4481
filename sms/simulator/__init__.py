"""A stand-in for Twilio and for people's phones, for development, demonstrations and tests. Never in production."""
