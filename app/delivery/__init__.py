"""From a text that is owed to one that has arrived, or that a person sees to: claims, outcomes, reports, limits. Sends nothing."""
