"""What the labs share.

- driver: the door between a page and the labs
- models: what the labs look at; start: how a training of the program begins
- book: the document, and the programs that it tangles into
- chunks: the program found by the names of its chunks
- hooks, trace, runs: how the program is watched
- fields: what readers write into fields
"""
