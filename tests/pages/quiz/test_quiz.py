"""The quiz: ten rounds in both languages, what is shown and summed up, own texts, and texts that nobody trained on."""

from __future__ import annotations

import json
import math
import random
import re
from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest
from transformers import AutoModelForCausalLM

from engine.bundled import BUNDLED
from engine.model.model import Model
from engine.quiz.scoring import score_game
from engine.serving import admission, model_registry
from pages.i18n.translator import Translator, shipped
from pages.quiz import bits_chart, round_view, summary, wording
from pages.quiz.question_texts import ROUNDS, texts
from pages.quiz.state import QuizState
from pages.shell import navigation
from tests.pages.visit import state_of, visit

ROOT = Path(__file__).parents[3]
LANGUAGES = ("zh_Hant", "en")
OWN_TEXT = ROOT / "engine" / "training" / "text"
GUESSES = {"zh_Hant": ["的", "，", "龘", "一個人", "park"], "en": ["the", "a", "park", "，", "noon"]}
LONG = "早上的市場在天亮以前就開了。阿姨們把青菜排在濕濕的紙箱上，開藍色貨車的叔叔賣剛上岸的魚。" * 2


@pytest.fixture(scope="module")
def bundled() -> Model:
    return model_registry.request().result()


def opened(language: str) -> AppTest:
    return visit("quiz", language)


def quiz_of(app: AppTest) -> QuizState:
    found = state_of(app, QuizState)
    assert isinstance(found, QuizState) and not app.exception
    return found


def play(quiz: QuizState, model: Model, language: str) -> None:
    """All ten rounds."""
    for at in range(ROUNDS):
        quiz.guess(model, quiz.turn, GUESSES[language][at % 5])
        assert quiz.revealed and quiz.problem is None
        quiz.go(model, quiz.turn)


@pytest.mark.parametrize("language", LANGUAGES)
def test_ten_rounds_to_a_summary_that_adds_up(language: str) -> None:
    app = opened(language)
    quiz, model = quiz_of(app), model_registry.request().result()
    reference = AutoModelForCausalLM.from_pretrained(BUNDLED, dtype=torch.float32).eval()
    t, mine, real, best = Translator(language), [], [], []
    for at in range(ROUNDS):
        asked = quiz.question
        shown = round_view.data(quiz, model, t)
        follows = model.text((asked.truth, *asked.rest))
        assert shown["stage"] == "ask" and follows not in json.dumps(shown, ensure_ascii=False)
        quiz.guess(model, quiz.turn, GUESSES[language][at % 5])
        app.run()
        shown = round_view.data(quiz, model, t)
        assert not app.exception and shown["stage"] == "reveal"
        assert shown["before"] + shown["truth"] + shown["rest"] in [wording.plain(text) for text in texts(language)]
        marks = [mark for row in shown["rows"] for mark in row["marks"]]
        assert sorted(marks) == ["model", "text", "you"]
        with torch.inference_mode():
            ids = (*asked.before, *quiz.outcomes[-1].guess.token_ids)
            log2 = torch.log_softmax(reference(input_ids=torch.tensor([ids])).logits[0].double(), -1) / math.log(2)
        n = len(asked.before) - 1
        mine.append(-sum(float(log2[n + k, token]) for k, token in enumerate(ids[n + 1 :])))
        real.append(-float(log2[n, asked.truth]))
        best.append(-float(log2[n].max()))
        quiz.go(model, quiz.turn)
        app.run()
    found = score_game(quiz.outcomes)
    assert quiz.finished and not app.exception
    assert (found.guess, found.truth, found.best) == pytest.approx(
        (sum(mine) / ROUNDS, sum(real) / ROUNDS, sum(best) / ROUNDS), abs=1e-3
    )
    shown = round_view.data(quiz, model, t)
    assert [row[2] for row in shown["totals"]] == [
        t.number(x, 1) for x in (found.guess, found.best, found.truth, 13.17)
    ]
    assert shown["totals"][3][3] == "9,216" and shown["totals"][0][1] == f"{found.hits} / 10"
    assert len(summary.rounds(quiz, model, t)["rounds"]) == ROUNDS
    assert len(bits_chart.points(quiz.outcomes, t)) == 3 * ROUNDS
    before = [question.before for question in quiz.questions]
    quiz.again(model, quiz.turn, language)
    app.run()
    assert quiz.at == 0 and not quiz.outcomes and not set(before) & {q.before for q in quiz.questions}
    assert not app.exception


def test_bars_hold_all_the_probability_and_nothing_else(bundled: Model) -> None:
    quiz = QuizState()
    quiz.ready(bundled, "en")
    for typed in ("龘", "park", "the", "!"):
        quiz.guess(bundled, quiz.turn, typed)
        outcome = quiz.outcomes[-1]
        rows = round_view.rows(outcome, bundled, quiz.question.before, Translator("en"))
        single = [row["p"] for row in rows if row["rank"] != "—"]
        assert sum(single) == pytest.approx(1, abs=1e-4)
        assert [row["rank"] for row in rows[: round_view.SHOWN_CANDIDATES]] == [
            str(at) for at in range(1, round_view.SHOWN_CANDIDATES + 1)
        ]
        raw = bundled.distribution(quiz.question.before).raw
        assert rows[0]["p"] == pytest.approx(float(raw.max()), abs=1e-5)
        quiz.go(bundled, quiz.turn)


def test_the_model_is_beaten_only_where_it_was(bundled: Model) -> None:
    """One who knows the texts is right every time; the model's hits are those of its likeliest token."""
    quiz = QuizState()
    quiz.ready(bundled, "zh_Hant")
    alone = []
    for at in range(ROUNDS):
        asked = quiz.question
        quiz.guess(bundled, quiz.turn, bundled.text((asked.truth, *asked.rest)))
        if bundled.distribution(asked.before).argmax() != asked.truth:
            alone.append(str(at + 1))
        quiz.go(bundled, quiz.turn)
    t = Translator("zh_Hant")
    told = round_view.data(quiz, bundled, t)["told"]
    assert told[0] == t("quiz.end.won", you=10, model=10 - len(alone), of=10)
    assert told[1] == t("quiz.end.you_alone", rounds="、".join(alone))


def test_choosing_goes_by_the_options_alone(bundled: Model) -> None:
    quiz = QuizState(mode="choose")
    quiz.ready(bundled, "en")
    shown = round_view.data(quiz, bundled, Translator("en"))
    offered = [token for token, _ in shown["options"]]
    assert len(offered) == 4 and quiz.question.truth in offered
    outside = next(i for i in range(1, 100) if i not in offered)
    quiz.choose(bundled, quiz.turn, outside)
    quiz.choose(bundled, quiz.turn - 1, offered[0])
    assert not quiz.outcomes
    quiz.choose(bundled, quiz.turn, offered[2])
    quiz.choose(bundled, quiz.turn, offered[1])
    assert [(o.guess.token_ids, o.options) for o in quiz.outcomes] == [((offered[2],), 4)]
    assert score_game(quiz.outcomes).chance_hits == 1 / 4


def test_moves_out_of_date_do_nothing_and_bad_ones_lose_nothing(bundled: Model) -> None:
    quiz = QuizState()
    quiz.ready(bundled, "zh_Hant")
    turn = quiz.turn
    quiz.go(bundled, turn)
    quiz.guess(bundled, turn - 1, "的")
    quiz.again(bundled, turn, "en")
    assert (quiz.at, quiz.outcomes, quiz.turn) == (0, [], turn)
    for typed, code in (("", "quiz_empty"), (" \n\u3000", "quiz_empty"), ("\ud800", "surrogate")):
        quiz.guess(bundled, turn, typed)
        assert quiz.problem is not None and quiz.problem.code == code
        assert not quiz.outcomes and quiz.draft == typed
        assert round_view.data(quiz, bundled, Translator("en"))["problem"]
    quiz.write(turn, "字" * 300)
    quiz.guess(bundled, turn, "字" * 300)
    assert quiz.problem is None and len(quiz.outcomes) == 1
    quiz.write(turn, "too late")
    assert quiz.draft == "字" * 300
    quiz.ready(bundled, "en")  # another language does not end a game
    assert quiz.language == "zh_Hant" and len(quiz.outcomes) == 1


def test_another_model_begins_again(bundled: Model, model: Model) -> None:
    quiz = QuizState()
    quiz.ready(bundled, "en")
    play(quiz, bundled, "en")
    quiz.ready(model, "en")
    assert quiz.model_name == model.name and not quiz.outcomes and len(quiz.questions) == ROUNDS
    quiz.guess(bundled, quiz.turn, "the")  # a late answer, made with the model before
    assert not quiz.outcomes


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_of_ones_own(language: str) -> None:
    app = opened(language)
    quiz = quiz_of(app)
    for bad in ("", "  ", "太短了", "字", "字" * 20_001, LONG * 20):
        app.text_area(key="quiz_own").set_value(bad)
        app.button(key="quiz_bring").click().run()
        assert len(app.error) == 1 and not app.exception and not quiz.own
        assert app.text_area(key="quiz_own").value == bad
    quiz.bring(model_registry.request().result(), language, LONG + "\ud800")
    app.run()
    assert len(app.error) == 1 and not app.exception
    app.text_area(key="quiz_own").set_value(LONG)
    app.button(key="quiz_bring").click().run()
    assert not app.error and quiz.own == LONG and len(quiz.questions) == ROUNDS
    lengths = [len(question.before) for question in quiz.questions]
    assert lengths == sorted(set(lengths))  # no place gives away a later one
    first = list(quiz.questions)
    play(quiz, model_registry.request().result(), language)
    app.run()
    quiz.again(model_registry.request().result(), quiz.turn, language)
    assert quiz.own == LONG and quiz.questions != first
    app.run()
    app.button(key="quiz_leave").click().run()
    assert not app.exception and not quiz.own and not quiz.outcomes


def test_nothing_is_lost_on_other_pages() -> None:
    app = opened("zh_Hant")
    quiz, model = quiz_of(app), model_registry.request().result()
    quiz.guess(model, quiz.turn, "的")
    quiz.go(model, quiz.turn)
    quiz.write(quiz.turn, "打到一")
    app.segmented_control(key="quiz_mode").set_value("choose").run()
    app.segmented_control(key="quiz_mode").set_value("type").run()
    app.text_area(key="quiz_own").set_value("還沒貼完").run()
    app.switch_page(navigation.path("step")).run()
    app.switch_page(navigation.path("quiz")).run()
    again = quiz_of(app)
    assert (again.at, len(again.outcomes), again.draft, again.mode) == (1, 1, "打到一", "type")
    assert round_view.data(again, model, Translator("zh_Hant"))["draft"] == "打到一"
    assert app.text_area(key="quiz_own").value == "還沒貼完"


def test_a_demo_plays_its_own_texts_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_DEMO", "1")
    app = opened("en")
    quiz = quiz_of(app)
    assert app.text_area(key="quiz_own").disabled and app.button(key="quiz_bring").disabled
    hooks = admission._SessionHooks(lambda: "me", lambda _: True, lambda: None, shipped)
    monkeypatch.setattr(admission, "_session_hooks", hooks)
    quiz.bring(model_registry.request().result(), "en", LONG)
    assert quiz.own_problem is not None and quiz.own_problem.code == "limit_demo" and not quiz.own
    play(quiz, model_registry.request().result(), "en")
    assert quiz.finished


def test_rounds_are_paid_for_and_a_refusal_keeps_the_game(monkeypatch: pytest.MonkeyPatch, bundled: Model) -> None:
    hooks = admission._SessionHooks(lambda: "me", lambda _: True, lambda: None, shipped)
    monkeypatch.setattr(admission, "_session_hooks", hooks)
    monkeypatch.setenv("ENGINE_STEPS_PER_MINUTE", "2")
    quiz = QuizState()
    quiz.ready(bundled, "en")
    quiz.guess(bundled, quiz.turn, "the")
    quiz.go(bundled, quiz.turn)
    quiz.guess(bundled, quiz.turn, "the")
    quiz.go(bundled, quiz.turn)
    assert quiz.problem is not None and quiz.problem.code == "limit_steps"
    assert (quiz.at, len(quiz.outcomes)) == (1, 2)
    assert round_view.data(quiz, bundled, Translator("en"))["problem"]
    monkeypatch.setenv("ENGINE_STEPS_PER_MINUTE", "0")
    quiz.go(bundled, quiz.turn)
    assert quiz.at == 2 and quiz.problem is None


def test_what_is_shown_hides_nothing_and_ends_no_line_early() -> None:
    dice = random.Random(0)
    for text in ("a\nb  c", "\0x\u202ey", "好\u3000的", "👩‍👩‍👧", ""):
        shown = wording.plain(text)
        assert re.findall(r"[ \n\u3000]", shown) == re.findall(r"[ \n\u3000]", text)
        assert not re.search(r"[\0\u202e]", shown)
    words = "".join(dice.choice("ab ") for _ in range(200))
    assert wording.plain(words) == words
