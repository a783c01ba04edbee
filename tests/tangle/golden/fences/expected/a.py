doc = """
```python
inner
```
"""
# Use tildes
s = "```"
``` 
# Put text above
  two = 2
	x = 3
    ```
