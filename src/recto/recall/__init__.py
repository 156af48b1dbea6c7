"""What `recto run` was answered before, recognised by content when the same is asked again.

A memo holds one answer and the evidence for it: the bytes of every file that was read, by digest, the files that were
looked for and were not there, and the state of the interpreter. Where all of it is as it was, the ordinary way could
only give the same answer, and it is given without importing what reads a declaration or a policy. Anything else is a
miss, never an error: the ordinary way is taken, and it says what is to be said.

This room imports only what the interpreter has loaded anyway, and three small modules in C.
"""
