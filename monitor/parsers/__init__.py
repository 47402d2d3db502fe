"""One module per platform that is read over SSH, each with one constant READER; this folder is scanned."""
