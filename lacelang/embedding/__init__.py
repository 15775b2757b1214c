"""The language from Python without text: conditions as values, and programs made of them."""
