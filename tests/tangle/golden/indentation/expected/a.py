class A:
    def f(self):
        if self:
            # Go deeper
            x = """
              kept
            	tab
            """

        return 1
   

	# Follow a tab
	y = 1
	  z = 2
