"""What both doors stand on: diagnostics, syntax, the document, its programs."""
