"""All components that s2s brings, by family: being imported is what registers them.

A new file with components is a new line here, and nowhere else.
"""

# ruff: noqa: F401, I001  (imported for what they register, in the order of the families)

# value types
import s2s.data.values

# readers
import s2s.data.readers.conll
import s2s.data.readers.dialogues
import s2s.data.readers.folders
import s2s.data.readers.huggingface
import s2s.data.readers.lines
import s2s.data.readers.generated
import s2s.data.readers.tables
import s2s.data.readers.text

# fields
import s2s.data.fields.base
import s2s.data.fields.image
import s2s.data.fields.categorical
import s2s.data.fields.features
import s2s.data.fields.text

# tokenizers
import s2s.data.tokenizers.simple
import s2s.data.tokenizers.subword

# encoders
import s2s.nn.encoders.timm
import s2s.nn.encoders.cnn
import s2s.nn.encoders.features
import s2s.nn.encoders.none
import s2s.nn.encoders.rnn

# heads
import s2s.nn.heads.classifier
import s2s.nn.heads.decoder
import s2s.nn.heads.gnmt
import s2s.nn.heads.language_model
import s2s.nn.heads.input_feeding

# cells, attentions, poolings, bridges, initializers
import s2s.nn.attention
import s2s.nn.bridge
import s2s.nn.cells_reference
import s2s.nn.cells
import s2s.nn.initialization
import s2s.nn.pooling

# searches and filters
import s2s.decoding.beam
import s2s.decoding.filters
import s2s.decoding.sampling

# tasks
import s2s.tasks.captioning
import s2s.tasks.chat
import s2s.tasks.classification
import s2s.tasks.language_modeling
import s2s.tasks.translation

# metrics
import s2s.metrics.captions
import s2s.metrics.classification
import s2s.metrics.base

# optimizers, schedules, averagings
import s2s.training.averaging
import s2s.training.optimizers
import s2s.training.schedules
