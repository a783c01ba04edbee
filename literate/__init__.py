"""What tangle.py and weave.py are made of, in three rooms.

- core: what both stand on: the document, its chunks, and the programs in it
- tool: what tangle.py can do; it knows core alone
- weaving: from the document to a website; it knows core alone
"""
