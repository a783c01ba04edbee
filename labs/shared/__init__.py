"""What the labs share.

- driver: the door between a page and the labs; models: what they look at
- book: its chunks, and the programs that it tangles into
- hooks, trace, runs: how the program is watched
- fields, expressions, typed: what readers write
"""
