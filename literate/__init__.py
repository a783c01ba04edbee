"""What tangling and weaving stand on: one Markdown document and its chunks.

Here is what more than one of the folders needs, each on those before it:

- diagnostics, names, markdown, syntax: what is wrong, what is allowed, how it is read
- document, checks, program: chunks, found sound, and put together into programs
- forms, outputs: all files that a document makes, and how they come to the disk
- listing, positions, sessions with interpreter: what else can be asked of a document
- command_line: its options, and the document that it names
- coverage: the plug-in of coverage.py

The folders: commands, what tangle.py does beside tangling; retelling, the program's
other forms; weaving, the website.
"""
