x = 1

if x:
    # Do it
    y = 2
