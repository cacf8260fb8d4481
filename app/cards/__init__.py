"""Cards, reminders and appeals, pressing and formal demands, signs of buck-passing. Changes no holder."""
