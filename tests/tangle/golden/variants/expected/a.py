# Think
think(1)
# Think harder
think(2)
# Speak
speak()
