# Think
pass
# Speak
print("...")
