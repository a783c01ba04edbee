"""The program told again in other forms, which `literate.forms` makes when needed.

- order: the document in an order that runs
- commented: the program with the prose as comments
- notebook: the same as a Jupyter notebook
"""
