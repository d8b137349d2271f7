"""s2s generate: goes on with a text, on the screen as it is written; or shows what the model expects."""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from s2s.cli.console import output
from s2s.cli.lines import at_terminal, echo, standard_input, tidy
from s2s.cli.opening import RunName, open_run
from s2s.cli.run_options import HowWritten, grouped
from s2s.cli.unknown import warn_unseen
from s2s.errors import S2SError

if TYPE_CHECKING:
    from s2s.predictors.continuation import GenerationSession
    from s2s.predictors.language_model import LanguageModelPredictor, NextTokenDistribution
    from s2s.predictors.suggestions import Suggestion

LINE_BREAK = "⏎"  # what ends a line of text, in a table


@grouped
def generate_command(
    run: RunName,
    seed: Annotated[str | None, typer.Argument(metavar="SEED", help="What to go on from; - reads it.")] = None,
    length: Annotated[int, typer.Option(min=1, help="Of each text, in characters.")] = 500,
    pieces: Annotated[bool, typer.Option("--pieces", help="Count the length in the model's tokens.")] = False,
    temperature: Annotated[
        float | None, typer.Option(min=0, help="Lower is likelier, 0 takes the likeliest. Default: the recipe's, or 1.")
    ] = None,
    top_k: Annotated[int | None, typer.Option(min=0, help="Draw from the k likeliest tokens; 0: from all.")] = None,
    top_p: Annotated[float | None, typer.Option(min=0, max=1, help="Draw from so much of the probability.")] = None,
    repetition_penalty: Annotated[float, typer.Option(min=1, help="Makes what was just written less likely.")] = 1.0,
    stop: Annotated[
        list[str] | None, typer.Option(help=r"End before this text; \n is a line break. Repeat it.")
    ] = None,
    count: Annotated[int | None, typer.Option(min=1, help="How many texts, side by side.")] = None,
    random_seed: Annotated[int | None, typer.Option(help="The same texts again; without it, others each time.")] = None,
    state: Annotated[Path | None, typer.Option(metavar="FILE", help="Go on from this file, and write it.")] = None,
    steps: Annotated[bool, typer.Option("--steps", help="Show what is expected after every token of SEED.")] = False,
    suggest: Annotated[int | None, typer.Option(min=1, metavar="K", help="Show the K likeliest next words.")] = None,
    interactive: Annotated[bool, typer.Option("--interactive", "-i", help="Type seeds at a terminal.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a text.")] = False,
    how: HowWritten = HowWritten(),
) -> None:
    r"""Go on with a text, as it is written. The seed comes from standard input where that is a pipe.

    One line break at the end of a seed that is read is left out. At a terminal without a seed, seeds are typed,
    with the likeliest words below. With --state, what was written is gone on with another day; a SEED is then
    read first. With --json a text is an object: seed, text, and stopped, whether a stop string ended it.

    s2s generate char-shakespeare "ROMEO:" --length 500 --temperature 0.8 --top-k 40
    s2s generate char-shakespeare "ROMEO:" --count 3 --random-seed 7 --stop '\n\n'
    s2s generate char-shakespeare "ROMEO:" --state romeo.state; s2s generate char-shakespeare --state romeo.state
    s2s generate hello hell --steps
    """
    from s2s.predictors.language_model import LanguageModelPredictor

    folder, generator = open_run(run, LanguageModelPredictor, "generate", **how.chosen())
    begun = state is not None and state.exists()
    options: dict[str, Any] = generator.recipe_options()
    given = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
    options |= {key: value for key, value in given.items() if value is not None}
    options |= {
        "repetition_penalty": repetition_penalty,
        "length": length,
        "stop": [unescaped_argument(s) for s in stop or ()],
    }
    options["unit"] = "pieces" if pieces else "characters"
    if interactive or (seed is None and not begun and not as_json and at_terminal()):
        from s2s.cli.repl.generate import GenerateRepl
        from s2s.cli.repl.terminal import converse, terminal

        converse(GenerateRepl(generator, input, terminal(), options, random_seed), str(folder))
        return
    if seed == "-" or (seed is None and not begun and not sys.stdin.isatty()):
        seed = "\n".join(standard_input())
    seed = "" if seed is None else tidy(seed)
    warn_unseen(generator, seed)
    if steps:
        show_steps(generator.walk(seed), as_json)
    elif suggest:
        show_suggestions(generator.suggest(seed, suggest), as_json)
    else:
        texts = begin_texts(generator, seed, state if begun else None, count, random_seed)
        try:
            write(generator, texts, seed, options, as_json)
        finally:
            if state is not None:
                from s2s.predictors.continuation import save_texts

                save_texts(state, texts, generator.fingerprint)


def begin_texts(
    generator: "LanguageModelPredictor", seed: str, state: Path | None, count: int | None, random_seed: int | None
) -> "GenerationSession":
    """New texts, or those of a state file. Raises RunError where that is no such file, or of other texts."""
    from s2s.errors import RunError
    from s2s.predictors.continuation import load_texts

    if state is None:
        return generator.begin(seed, count=count or 1, random_seed=random_seed)
    texts = load_texts(state, generator.begin(), generator.fingerprint)
    if count not in (None, len(texts.transcripts)):
        what = f"holds {len(texts.transcripts)} texts, and --count asks for {count}"
        raise RunError(str(state), what, "leave --count out, or name another file to begin again")
    generator.read(texts, seed)
    if random_seed is not None:
        generator.reseed(texts, random_seed)
    return texts


def write(
    generator: "LanguageModelPredictor", texts: "GenerationSession", seed: str, options: dict[str, Any], as_json: bool
) -> None:
    """Texts on standard output: one as it is written, several one after the other as far as they have come."""
    count = len(texts.transcripts)
    events = generator.write(texts, **options)
    if as_json:
        found = [""] * count
        for number, text in events:
            found[number] += text
        for transcript, text in zip(texts.transcripts, found, strict=True):
            echo(json.dumps({"seed": seed, "text": text, "stopped": transcript.stopped}, ensure_ascii=False) + "\n")
        return
    from s2s.cli.show import visible_lines

    clean = visible_lines if sys.stdout.isatty() else str
    for number, parts in in_turn(events, count):
        if count > 1:
            echo(f"--- {number + 1} ---\n")
        end = ""
        for part in (seed, *parts):
            echo(clean(part))
            end = part or end
        echo("" if end.endswith("\n") else "\n")


def in_turn(events: Iterable[tuple[int, str]], count: int) -> Iterator[tuple[int, Iterator[str]]]:
    """(number of a text, its parts), one text after the other; what the others write in the meantime waits."""
    waiting: list[list[str]] = [[] for _ in range(count)]
    source = iter(events)
    if count == 1:
        yield 0, (text for _, text in source)
        return

    def parts(number: int) -> Iterator[str]:
        yield from waiting[number]
        for at, text in source:  # the others go on to the end of theirs; this one's end is not known before
            if at == number:
                yield text
            else:
                waiting[at].append(text)

    for number in range(count):
        yield number, parts(number)


def show_steps(steps: "list[NextTokenDistribution]", as_json: bool) -> None:
    """A line for every token that was read: what was expected after it, and what came."""
    if as_json:
        for step in steps:
            best = [{"piece": name, "probability": round(odds, 6)} for name, odds in step.likeliest]
            record = {"read": step.read, "next": step.next, "probability": step.probability, "likeliest": best}
            echo(json.dumps(record, ensure_ascii=False) + "\n")
        return
    from rich.table import Table
    from rich.text import Text

    from s2s.data.tokenizers.vocabulary import SPECIALS
    from s2s.tensors import EOS

    def shown(name: str) -> str:
        return LINE_BREAK if name == SPECIALS[EOS] else name

    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("after", "comes", "expected"):
        table.add_column(heading)
    for step in steps:
        comes = Text("") if step.next is None else Text(f"{shown(step.next)} {step.probability:.1%}")
        line = Text()
        for name, odds in step.likeliest:
            line.append(f"{shown(name)} ", "bold" if name == step.next else "").append(f"{odds:.1%}   ", "dim")
        table.add_row(Text(shown(step.read)), comes, line)
    output().print(table, soft_wrap=False)


def show_suggestions(found: "list[Suggestion]", as_json: bool) -> None:
    for each in found:
        if as_json:
            echo(json.dumps({**each._asdict(), "probability": round(each.probability, 6)}, ensure_ascii=False) + "\n")
        else:
            echo(f"{each.probability:.4f}\t{each.word}\n")


def unescaped_argument(text: str) -> str:
    r"""A shell makes it hard to write a line break: \n is one, and \t a tab."""
    if not text:
        raise S2SError("--stop", "is empty", "such as: --stop '\\n\\n'")
    return text.replace("\\n", "\n").replace("\\t", "\t")
