"""The commands of tangle.py, a module each: `main` is given the document and the rest.

- run, debug: the program, at the document's lines
- where: from a line of a program to the document's, and back
- watch, verify, stitch, lint: what helps whoever writes
"""
