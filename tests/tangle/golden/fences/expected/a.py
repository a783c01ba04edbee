doc = """
```python
inner
```
"""
# Use tildes
s = "```"
``` 
# Indent the fence
  two = 2
less = 1
	x = 3
 y = 4
