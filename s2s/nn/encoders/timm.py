"""Networks that others have trained on pictures, from timm, as encoders. timm is an extra: pip install 's2s[timm]'.

The network is built without its weights, so that a run can be opened anywhere; begin() fetches them once, when a run
begins, and from then on the run's own files hold them.
"""

import difflib
from typing import Any

import torch
from torch import Tensor, nn

from s2s.errors import RecipeError
from s2s.nn.dropout import DropoutRate
from s2s.nn.encoders.base import Encoder
from s2s.registry import PositiveInt
from s2s.tensors import EncoderOutput, FieldSpec, Padded

IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}  # where a network does not say its own


class Timm(Encoder, kind="timm"):
    """Any network of timm that gives a grid of features: Wightman 2019, https://doi.org/10.5281/zenodo.4414861

    name        as timm has it: resnet18.a1_in1k, convnext_nano.in12k_ft_in1k
    pretrained  begin with its published weights, which are downloaded when a run begins; false for chance
    frozen      train only the layer that maps its features to `width`
    width       of the vector of a place, M
    size        pixels of a side, for networks that must know: as task.source.size
    dropout     on the memory

    Statistics of batches (BatchNorm) stay as they were learned: a picture never depends on its neighbors.
    """

    input_modalities = ("image",)
    mean: Tensor
    std: Tensor

    def __init__(
        self,
        space: FieldSpec,
        *,
        name: str,
        pretrained: bool = True,
        frozen: bool = True,
        width: PositiveInt = 256,
        size: PositiveInt | None = None,
        dropout: DropoutRate = 0.0,
    ) -> None:
        super().__init__(space)
        self.name, self.pretrained, self.frozen, self.width = name, pretrained, frozen, width
        self.options = {"in_chans": space.size} | ({} if size is None else {"img_size": size})
        self.backbone = create(name, False, self.options)
        if frozen:
            self.backbone.requires_grad_(False)
        self.channels = int(self.backbone.feature_info.channels()[-1])  # type: ignore[union-attr,operator]
        self.map = nn.Linear(self.channels, width)
        self.drop = nn.Dropout(dropout)
        about = dict(getattr(self.backbone, "pretrained_cfg", None) or {})
        for key, usual in IMAGENET.items():
            value = torch.tensor(about.get(key) or usual, dtype=torch.float32)
            self.register_buffer(key, value.view(1, -1, 1, 1), persistent=False)

    def begin(self) -> list[str]:
        if not self.pretrained:
            return []
        self.backbone.load_state_dict(create(self.name, True, self.options).state_dict())
        return [f"{self.name}: weights from timm{' (frozen)' if self.frozen else ''}"]

    def train(self, mode: bool = True) -> "Timm":
        super().train(mode)
        self.backbone.train(mode and not self.frozen)
        for module in self.backbone.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()
        return self

    def forward(self, source: Padded | Tensor, final_state: bool = True) -> EncoderOutput:
        assert isinstance(source, Tensor)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            # the field gives -1 to 1; networks want what they were trained on
            grid = self.backbone((source * 0.5 + 0.5 - self.mean) / self.std)[-1]
        if grid.shape[1] != self.channels:  # some give channels last
            grid = grid.movedim(-1, 1)
        memory = self.drop(self.map(grid.flatten(2).transpose(1, 2)))  # [B, h * w, M]
        valid = torch.ones(memory.shape[:2], dtype=torch.bool, device=memory.device)
        return EncoderOutput(memory, valid, (memory.mean(1)[:, None],) if final_state else (), sequence=False)


def create(name: str, pretrained: bool, options: dict[str, Any]) -> nn.Module:
    """A network that gives its grids of features, coarsest last. Raises RecipeError where there is none."""
    try:
        import timm
    except ImportError:
        hint = "pip install 's2s[timm]'; or encoder: cnn, which is trained from scratch"
        raise RecipeError("", "timm is needed for this, and is not installed", hint) from None
    if not timm.is_model(name.partition(".")[0]):
        near = ", ".join(difflib.get_close_matches(name, timm.list_models(), n=3))
        hint = f"did you mean one of: {near}?" if near else "python -c 'import timm; print(timm.list_models())'"
        raise RecipeError("name", f"timm has no network called {name!r}", hint)
    try:
        with torch.device("cpu"):  # not meta, where s2s check builds: some networks compute with numbers as they begin
            return timm.create_model(name, pretrained=pretrained, features_only=True, **options)
    except Exception as error:  # a download that fails, an option or a name it does not know: timm raises anything
        said = " ".join(str(error).split())[:300] or type(error).__name__
        hint = "without a network, pretrained: false begins by chance" if pretrained else ""
        raise RecipeError("", f"timm cannot build {name}: {said}", hint) from error
