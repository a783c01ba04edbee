    # B
      # C
      x
