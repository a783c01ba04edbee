"""The long runs behind the book's tables and figures, and what they found.

Also the plain engine, against which the program is measured, here and in speed/.
"""
