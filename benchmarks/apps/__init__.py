"""Small programs to measure against."""
