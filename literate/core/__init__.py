"""What both doors stand on, each module on those before it.

- diagnostics: problems, and how they are shown
- names, syntax, blocks: what a chunk may be called, how it is written, where it stands
- document: the chunks and examples of a document
- checks, programs: chunks found sound, and put together into programs
- interpreter, sessions: the examples of a document, and what runs them
- children: commands that do not outlive the process that starts them
"""
