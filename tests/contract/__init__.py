"""What we say to Twilio, and what its stand-in answers, against Twilio's own published document. Needs npm: `make contract`."""
