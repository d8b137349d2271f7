"""s2s chat: a conversation at a terminal, or through a pipe."""

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from s2s.cli.lines import at_terminal, chunks, decoded_line, echo, one_line, rounded
from s2s.cli.opening import RunName, open_run
from s2s.cli.run_options import HowWritten, grouped

if TYPE_CHECKING:
    from s2s.predictors.conversation import Conversation


@grouped
def chat(
    run: RunName,
    as_json: Annotated[bool, typer.Option("--json", help="In a pipe: one JSON object a reply.")] = False,
    choose: Annotated[
        Literal["search", "mmi", "mbr"],
        typer.Option(help="search: its best. mmi, mbr: of several, the most telling, or the one most agree with."),
    ] = "search",
    search: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Change the search; repeat it for several.")
    ] = None,
    random_seed: Annotated[int | None, typer.Option(min=0, help="The same replies to the same words.")] = None,
    how: HowWritten = HowWritten(),
) -> None:
    """Talk with a run. It remembers as many turns as it was trained with.

    At a terminal, :help lists the commands. In a pipe a line is a turn and gets its reply on a line, and a blank
    line begins a new conversation. With --json, a line is an object: turns, the conversation with the reply in it;
    reply; and log_probability (natural logarithm).

    s2s chat runs/chat --search temperature=0.7 --search top_p=0.9
    """
    from s2s.decoding.options import change_search
    from s2s.predictors.conversation import Conversation
    from s2s.predictors.seq2seq import Seq2SeqPredictor

    folder, writer = open_run(run, Seq2SeqPredictor, "chat", **how.chosen())
    talk = Conversation(writer, change_search(writer.recipe.decoding, search or ()), choose, random_seed)
    if at_terminal() and not as_json:
        from s2s.cli.repl.chat import ChatLoop
        from s2s.cli.repl.terminal import converse, terminal

        converse(ChatLoop(talk, input, terminal()), str(folder))
        return
    for lines in decoded_line(chunks(sys.stdin.buffer, 1)):
        for line in lines:
            echo(turn(talk, line, as_json))


def turn(talk: "Conversation", line: str, as_json: bool) -> str:
    """What to print for a line of a pipe."""
    record: dict[str, Any] = {"turns": [], "reply": "", "log_probability": None}
    if line.strip():
        reply = talk.reply(line)
        record = {"turns": talk.turns, "reply": reply.text, "log_probability": rounded(reply.log_probability)}
    else:
        talk.start()
    return json.dumps(record, ensure_ascii=False) + "\n" if as_json else f"{one_line(record['reply'])}\n"
