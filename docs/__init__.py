"""Pages of the documentation, and the programs that write what follows from the code."""
