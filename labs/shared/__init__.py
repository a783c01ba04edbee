"""What the labs share.

- driver: the door between a page and the labs
- models: what the labs look at; start: how a training of the program begins
- book: the document, and the programs that it tangles into
- hooks, trace, runs: how the program is watched
- fields: what readers write into fields
"""
