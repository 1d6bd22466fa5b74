"""Ways out of the house for one message each. They know no rows: services.delivering claims, calls these, and marks."""
