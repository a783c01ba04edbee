"""What tangling and weaving stand on: one Markdown document and its chunks."""
