"""The long runs behind the book's tables and figures, and what they found.

Also the plain engine, which the program is measured with, here and in speed/.
"""
