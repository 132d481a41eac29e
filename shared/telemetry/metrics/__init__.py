"""What is counted: declared in `table`, sent to Redis by each process (`pushing`), added up for `/metrics` (`gathering`)."""
