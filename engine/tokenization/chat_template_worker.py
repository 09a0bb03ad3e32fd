"""Rendering of one chat template, in a process of its own that may be killed: a program.

A template is foreign code. Jinja's sandbox keeps it away from Python's objects; the limits of this process bound what
it may compute, which the sandbox does not. Reads one JSON object from the standard input (`template`, `variables`,
`most_characters`, `seconds`, `bytes`) and writes one to the standard output: `text`, or `error` with a `message`.

    broken   the template is not valid, or fails
    refused  the template calls `raise_exception`
    large    more than `most_characters`, or out of memory
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from datetime import datetime
from typing import Any

from jinja2 import TemplateError, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment


class RefusedError(TemplateError):
    """The conversation is one that the template does not take."""


class GenerationBlocks(Extension):
    """`{% generation %}` … `{% endgeneration %}`, which marks replies for training: rendered as its content."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _refuse(message: object) -> None:
    raise RefusedError(str(message))


def _to_json(value: object, ensure_ascii: bool = False, **arguments: Any) -> str:
    """JSON without the escapes for HTML of Jinja's own filter, as `transformers` has it."""
    return json.dumps(value, ensure_ascii=ensure_ascii, **arguments)


def environment() -> ImmutableSandboxedEnvironment:
    """What templates may use: that of `transformers`."""
    jinja = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[GenerationBlocks, loopcontrols]
    )
    jinja.filters["tojson"] = _to_json
    jinja.globals["raise_exception"] = _refuse
    jinja.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    return jinja


def render(template: str, variables: dict[str, Any], most_characters: int) -> dict[str, str]:
    """The text, or the error, as described above."""
    pieces, count = [], 0
    try:
        for piece in environment().from_string(template).generate(**variables):
            count += len(piece)
            if count > most_characters:
                return {"error": "large", "message": f"more than {most_characters} characters"}
            pieces.append(piece)
    except MemoryError:
        return {"error": "large", "message": "out of memory"}
    except RefusedError as error:
        return {"error": "refused", "message": str(error)}
    except Exception as error:  # a template may raise almost any exception
        return {"error": "broken", "message": f"{type(error).__name__}: {error}"}
    return {"text": "".join(pieces)}


def _limit(seconds: int, size: int) -> None:
    """Bound this process, where the system can; the parent's timeout holds everywhere."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


def main() -> None:
    asked = json.load(sys.stdin)
    _limit(asked["seconds"], asked["bytes"])
    json.dump(render(asked["template"], asked["variables"], asked["most_characters"]), sys.stdout)


if __name__ == "__main__":
    main()
