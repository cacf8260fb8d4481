"""The text-message edge: providers, webhooks, texts, simulator. Decides nothing about cases."""
