x = 1
# Do it
z = " "
y = 2