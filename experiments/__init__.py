"""The long runs behind the book's tables and figures, and what they found."""
