"""Documents of the page for teachers, one for each part: the blocks that `paper.py` draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from pages.i18n.translator import Translator
from pages.teachers import lesson_links, material, paper
from pages.teachers.paper import Block

PartName = Literal["plan", "sheet", "key", "talk", "ideas"]
PARTS: tuple[PartName, ...] = ("plan", "sheet", "key", "talk", "ideas")
WITH_NUMBERS: frozenset[PartName] = frozenset({"sheet", "key", "talk"})  # parts with values of the bundled model


def plan(values: Mapping[str, str], t: Translator) -> list[Block]:
    """Aims, plans, preparation, and what a teacher should know before the lesson."""
    content = material.read(t.language)

    prepare = [_filled(text, values, t) for text in content.prepare]
    blocks = [paper.heading(t("teachers.plan.aims")), paper.items(content.aims)]
    blocks += [paper.heading(t("teachers.plan.prior")), paper.items(content.prior)]
    for entry in content.plans:
        blocks += [paper.heading(entry.name), paper.paragraph(entry.lead), _plan_table(entry, values, t)]
    blocks += [paper.heading(t("teachers.plan.prepare")), paper.items(prepare, numbered=True)]
    trouble = [(paper.cell(title=problem), paper.cell(remedy)) for problem, remedy in content.trouble]
    blocks += [paper.heading(t("teachers.plan.trouble")), paper.table([("", 30), ("", 70)], trouble)]
    blocks += [paper.heading(t("teachers.plan.content")), paper.items(content.content)]
    for name in ("licence", "curriculum"):
        blocks += [paper.heading(t(f"teachers.plan.{name}")), paper.paragraph(getattr(content, name))]
    return blocks


def _plan_table(entry: material.Plan, values: Mapping[str, str], t: Translator) -> Block:
    unit = "minutes" if all(row.minutes.isdecimal() for row in entry.rows) else "when"
    columns = [(t(f"teachers.plan.{name}"), width) for name, width in
               ((unit, 9), ("activity", 39), ("steps", 22), ("ask", 30))]  # fmt: skip
    rows = [
        (paper.cell(row.minutes), *_cells((row.activity,), values, t), _steps(row.steps, t),
         *_cells((row.ask,), values, t))
        for row in entry.rows
    ]  # fmt: skip
    return paper.table(columns, rows)


def sheet(values: Mapping[str, str], t: Translator, address: str, qr: str | None) -> list[Block]:
    """The worksheet and the exit ticket, to be filled in."""
    content = material.read(t.language)
    names = ("name", "group", "date") if address else ("name", "group", "date", "address")
    fields = [t(f"teachers.sheet.{name}") for name in names]
    note = t("teachers.sheet.how", more=t("first.more"))
    head = paper.sheet_head(
        t("teachers.sheet.title"), fields, f"{t('teachers.sheet.address')} {address}" if address else "", note, qr,
        t("teachers.sheet.qr"),
    )  # fmt: skip
    columns = [(t(f"teachers.sheet.{name}"), width) for name, width in
               (("task", 34), ("predict", 20), ("observe", 22), ("explain", 24))]  # fmt: skip
    rows = [
        (
            paper.cell(
                _filled(task.do, values, t),
                f"{number}. {task.title}",
                [lesson_links.to_task(task, _query(task.query, values), t)],
            ),
            *_cells((task.predict, task.observe, task.explain), values, t),
        )
        for number, task in enumerate(content.tasks, 1)
    ]
    exit_items = [_filled(item.ask, values, t) for item in content.exit_items]
    return [
        head,
        paper.table(columns, rows, to_fill_in=True),
        paper.heading(t("teachers.sheet.exit"), new_page=True),
        paper.questions(exit_items),
    ]


def key(values: Mapping[str, str], t: Translator) -> list[Block]:
    """Answers to the worksheet and to the exit ticket, with how to mark them."""
    content = material.read(t.language)
    columns = [(t(f"teachers.key.{name}"), width) for name, width in (("task", 18), ("answer", 46), ("why", 36))]
    rows = [
        (paper.cell(title=f"{number}. {task.title}"), *_cells((task.answer, task.why), values, t))
        for number, task in enumerate(content.tasks, 1)
    ]
    exit_rows = [_cells((item.ask, item.answer), values, t) for item in content.exit_items]
    return [
        paper.heading(t("teachers.key.title")),
        paper.table(columns, rows),
        paper.heading(t("teachers.key.rubric")),
        paper.items(content.rubric),
        paper.heading(t("teachers.sheet.exit")),
        paper.table([(t("teachers.key.task"), 44), (t("teachers.key.answer"), 56)], exit_rows),
    ]


def talk(values: Mapping[str, str], t: Translator) -> list[Block]:
    """Questions to discuss, and misconceptions with the steps that refute them."""
    content = material.read(t.language)
    questions = [
        (paper.cell(title=entry.ask), paper.cell(entry.listen), _steps(entry.steps, t)) for entry in content.discussions
    ]
    beliefs = [
        (paper.cell(title=entry.belief), *_cells((entry.refute,), values, t), _steps(entry.steps, t))
        for entry in content.misconceptions
    ]
    opened = t("teachers.plan.steps")
    return [
        paper.heading(t("teachers.talk.questions")),
        paper.table([("", 36), (t("teachers.talk.listen"), 42), (opened, 22)], questions),
        paper.heading(t("teachers.talk.beliefs")),
        paper.table([(t("teachers.talk.belief"), 30), (t("teachers.talk.refute"), 48), (opened, 22)], beliefs),
    ]


def ideas(values: Mapping[str, str], t: Translator) -> list[Block]:
    """Ideas with the steps that teach them and what the learner does there; those without a step are left out."""
    columns = [(t("teachers.ideas.idea"), 28), (t("teachers.plan.steps"), 24), (t("teachers.ideas.does"), 48)]
    rows = [
        (
            paper.cell(point.idea if first else ""),
            _steps([step], t),
            paper.cell(lesson_links.does(step, t.language)),
        )
        for point in material.read(t.language).points
        for first, step in zip((True, *[False] * len(point.steps)), point.steps, strict=False)
    ]
    return [paper.paragraph(t("teachers.ideas.lead")), paper.table(columns, rows)]


WITHOUT_ADDRESS: dict[PartName, Callable[[Mapping[str, str], Translator], list[Block]]] = {
    "plan": plan,
    "key": key,
    "talk": talk,
    "ideas": ideas,
}


def _steps(steps: Sequence[str], t: Translator) -> Block:
    return paper.cell(links=[lesson_links.to_step(step, t.language) for step in steps])


def _cells(texts: Sequence[str], values: Mapping[str, str], t: Translator) -> list[Block]:
    return [paper.cell(_filled(text, values, t)) for text in texts]


def _filled(text: str, values: Mapping[str, str], t: Translator) -> str:
    return material.fill(text, values, t)


def _query(query: str, values: Mapping[str, str]) -> str:
    """A query with its placeholders filled in, encoded."""
    return query.format_map({name: lesson_links.quoted(value) for name, value in values.items()})
