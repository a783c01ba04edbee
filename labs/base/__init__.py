"""What the labs share.

- book: its chunks, and the programs that it tangles into
- hooks, trace, runs: how the program is watched
- fields, expressions, typed: what readers write
"""
