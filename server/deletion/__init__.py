"""The erasure of a person: seen first, done at once, proven afterwards."""
