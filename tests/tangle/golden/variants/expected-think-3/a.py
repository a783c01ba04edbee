# Think
# Think aloud
print("hm")
think(3)
# Think harder
think(2)
# Speak
speak()
