"""The REPL of s2s predict: a text in, the answer of any run out."""

from s2s.cli.repl.loop import Loop, Tell
from s2s.cli.show import visible_text


class PredictLoop(Loop):
    """PredictLoop(predictor, read, console).run()"""

    def answer(self, text: str) -> None:
        self.say(visible_text(self.predictor.predict([text])[0]))

    def described(self) -> str:
        return str(self.predictor.recipe.task.kind)

    def preview(self, text: str, tell: Tell) -> None:
        tell(self.predictor.predict([text])[0])
