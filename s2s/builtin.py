"""All parts that s2s brings, by family: being imported is what registers them.

A new file with parts is a new line here, and nowhere else.
"""

# ruff: noqa: F401, I001  (imported for what they register, in the order of the families)

# readers
import s2s.data.conll
import s2s.data.dialogues
import s2s.data.folders
import s2s.data.hub
import s2s.data.lines
import s2s.data.readers
import s2s.data.tables

# fields
import s2s.data.fields
import s2s.data.images
import s2s.data.labels
import s2s.data.numbers
import s2s.data.texts

# tokenizers
import s2s.data.plain_tokenizers
import s2s.data.subwords

# encoders
import s2s.nn.backbones
import s2s.nn.encoders
import s2s.nn.images
import s2s.nn.nothing

# heads
import s2s.nn.classifier
import s2s.nn.decoder
import s2s.nn.deep
import s2s.nn.language_model
import s2s.nn.stepwise

# cells, attentions, poolings, bridges, initializers
import s2s.nn.attention
import s2s.nn.bridge
import s2s.nn.by_hand
import s2s.nn.cells
import s2s.nn.initialization
import s2s.nn.pooling

# searches and filters
import s2s.decoding.beam
import s2s.decoding.filters
import s2s.decoding.sampling

# tasks
import s2s.tasks.captions
import s2s.tasks.chat
import s2s.tasks.labeling
import s2s.tasks.language
import s2s.tasks.task

# metrics
import s2s.tasks.caption_metrics
import s2s.tasks.label_metrics
import s2s.tasks.metrics

# optimizers, schedules, averagings
import s2s.training.averaging
import s2s.training.optimizers
import s2s.training.schedules
