# <<Not a reference>>
x = 1  # <<nor this>>
#<<nor this>>, # \<<two>>
# <<Nor a header>>=
<<alone>>
// <<other>>
s = "\\<< \<<"
a = 1 << 2 >> 3
b = a<<3  # shift << by >> three
print(f"<<{a}>>")
b >>= 1
