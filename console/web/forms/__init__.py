"""Forms: from what a person typed to a change, or to messages beside the fields."""
