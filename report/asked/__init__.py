"""The database of record and its samples as they answer the measures' one question: a reader for each kind of fact."""
