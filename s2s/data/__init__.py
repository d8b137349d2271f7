"""Where data comes from and how it becomes batches: readers, tokenizers, fields, corpora."""
