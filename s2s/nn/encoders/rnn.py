"""The recurrent encoder: a stack of cells over what is embedded, ids or vectors."""

from torch import Tensor, nn

from s2s.config import configure
from s2s.errors import RecipeError
from s2s.nn.cells import Cell
from s2s.nn.dropout import Dropout, DropoutRate
from s2s.nn.embedding import Embedding, VectorEmbedding
from s2s.nn.encoders.base import Encoder
from s2s.nn.stack import Stack
from s2s.registry import ComponentConfig, PositiveInt
from s2s.tensors import EncoderOutput, FieldSpec, Padded


class RNNEncoder(Encoder, kind="rnn"):
    """Reads from left to right, and back when bidirectional: Bahdanau et al. 2015, https://arxiv.org/abs/1409.0473

    embedding     size of the vector of an id; vectors (of sound, of strokes, of a series) are mapped to that size by a
                  matrix, as Graves et al. 2013 (https://arxiv.org/abs/1303.5778) read speech, or with null not at all
    hidden        size of one direction: a bidirectional encoder gives vectors twice as wide
    dropout       on embeddings, between layers, and on the memory; locked keeps one mask for a whole sentence
    word_dropout  share of positions that are zeroed once they are embedded
    residual, layer_norm: see Stack
    """

    input_modalities = ("ids", "vectors")

    def __init__(
        self,
        space: FieldSpec,
        *,
        cell: ComponentConfig[Cell] = configure(Cell, "lstm"),
        embedding: PositiveInt | None = 256,
        hidden: PositiveInt = 256,
        layers: PositiveInt = 1,
        bidirectional: bool = True,
        dropout: DropoutRate = 0.0,
        locked: bool = False,
        word_dropout: DropoutRate = 0.0,
        residual: bool = False,
        layer_norm: bool = False,
    ) -> None:
        super().__init__(space)
        if space.modality == "vectors":
            self.embed: nn.Module = VectorEmbedding(space.size, embedding, word_dropout)
        elif embedding is None:
            raise RecipeError("embedding", "is null, and ids have no vectors without it", "give it a size, such as 256")
        else:
            self.embed = Embedding(space.size, embedding, word_dropout)
        self.drop = Dropout(dropout, locked)
        self.stack = Stack(
            cell,
            space.size if embedding is None else embedding,
            hidden,
            layers,
            bidirectional=bidirectional,
            dropout=dropout,
            locked=locked,
            residual=residual,
            layer_norm=layer_norm,
        )
        self.width = self.stack.width

    def forward(self, source: Padded | Tensor, final_state: bool = True) -> EncoderOutput:
        assert isinstance(source, Padded)
        x = self.drop(self.embed(source.data))
        outputs, state = self.stack(x, lengths=source.lengths, final_state=final_state)
        return EncoderOutput(self.drop(outputs), source.valid, state)
