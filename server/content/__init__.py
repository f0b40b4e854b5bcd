"""What people publish in the shop: posts, comments, files."""
