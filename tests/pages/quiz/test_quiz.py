"""Quiz page: ten rounds in both languages, displayed data and scores, texts of the visitor's own, the host's limits."""

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
from pages.components.text.readable_text import readable_text
from pages.i18n.translator import Translator, shipped
from pages.quiz import bits_chart, round_view, summary, wording
from pages.quiz.state import QuizState
from pages.shell import navigation
from pages.shell.question_texts import ROUNDS, texts
from tests.pages.visit import state_of, visit

LANGUAGES = ("zh_Hant", "en")
GUESSES = {"zh_Hant": ["的", "，", "龘", "一個人", "park"], "en": ["the", "a", "park", "，", "noon"]}
LONG = "早上的市場在天亮以前就開了。阿姨們把青菜排在濕濕的紙箱上，開藍色貨車的叔叔賣剛上岸的魚。" * 2


@pytest.fixture(scope="module")
def bundled() -> Model:
    return model_registry.request().result()


def opened(language: str) -> AppTest:
    return visit("quiz", language)


def quiz_of(app: AppTest) -> QuizState:
    assert not app.exception
    return state_of(app, QuizState)


def play(quiz: QuizState, model: Model, language: str) -> None:
    """Play all ten rounds."""
    for at in range(ROUNDS):
        quiz.guess(model, quiz.turn, GUESSES[language][at % 5])
        assert quiz.revealed and quiz.problem is None
        quiz.next_round(model, quiz.turn)


@pytest.mark.parametrize("language", LANGUAGES)
def test_ten_rounds_to_a_summary_that_adds_up(language: str) -> None:
    app = opened(language)
    quiz, model = quiz_of(app), model_registry.request().result()
    reference = AutoModelForCausalLM.from_pretrained(BUNDLED, dtype=torch.float32).eval()
    t, guess_bits, truth_bits, best_bits = Translator(language), [], [], []
    for at in range(ROUNDS):
        question = quiz.question
        data = round_view.data(quiz, model, t)
        follows = model.text((question.truth, *question.rest))
        assert data["stage"] == "ask" and follows not in json.dumps(data, ensure_ascii=False)
        quiz.guess(model, quiz.turn, GUESSES[language][at % 5])
        app.run()
        data = round_view.data(quiz, model, t)
        assert not app.exception and data["stage"] == "reveal"
        assert data["before"] + data["truth"] + data["rest"] in [readable_text(text) for text in texts(language)]
        marks = [mark for row in data["rows"] for mark in row["marks"]]
        assert sorted(marks) == ["model", "text", "you"]
        with torch.inference_mode():
            ids = (*question.before, *quiz.outcomes[-1].guess.token_ids)
            log2 = torch.log_softmax(reference(input_ids=torch.tensor([ids])).logits[0].double(), -1) / math.log(2)
        n = len(question.before) - 1
        guess_bits.append(-sum(float(log2[n + k, token]) for k, token in enumerate(ids[n + 1 :])))
        truth_bits.append(-float(log2[n, question.truth]))
        best_bits.append(-float(log2[n].max()))
        quiz.next_round(model, quiz.turn)
        app.run()
    score = score_game(quiz.outcomes)
    assert quiz.finished and not app.exception
    assert (score.guess, score.truth, score.best) == pytest.approx(
        (sum(guess_bits) / ROUNDS, sum(truth_bits) / ROUNDS, sum(best_bits) / ROUNDS), abs=1e-3
    )
    data = round_view.data(quiz, model, t)
    assert [row[2] for row in data["totals"]] == [t.number(x, 1) for x in (score.guess, score.best, score.truth, 13.17)]
    assert data["totals"][3][3] == "9,216" and data["totals"][0][1] == f"{score.hits} / 10"
    assert len(summary.rounds(quiz, model, t)["rounds"]) == ROUNDS
    assert len(bits_chart.points(quiz.outcomes, t)) == 3 * ROUNDS
    before = [question.before for question in quiz.questions]
    quiz.start_new_game(model, quiz.turn, language)
    app.run()
    assert quiz.round_index == 0 and not quiz.outcomes and not set(before) & {q.before for q in quiz.questions}
    assert not app.exception


def test_bars_hold_all_the_probability_and_nothing_else(bundled: Model) -> None:
    quiz = QuizState()
    quiz.ready(bundled, "en")
    for typed in ("龘", "park", "the", "!"):
        quiz.guess(bundled, quiz.turn, typed)
        outcome = quiz.outcomes[-1]
        rows = round_view.candidate_rows(outcome, bundled, quiz.question.before, Translator("en"))
        single = [row["p"] for row in rows if row["rank"] != "—"]
        assert sum(single) == pytest.approx(1, abs=1e-4)
        assert [row["rank"] for row in rows[: round_view.TOP_CANDIDATES]] == [
            str(at) for at in range(1, round_view.TOP_CANDIDATES + 1)
        ]
        raw = bundled.distribution(quiz.question.before).raw
        assert rows[0]["p"] == pytest.approx(float(raw.max()), abs=1e-5)
        quiz.next_round(bundled, quiz.turn)


def test_the_model_is_beaten_only_where_it_was(bundled: Model) -> None:
    """A player who knows the texts is right every time; the model's hits are those of its most probable token."""
    quiz = QuizState()
    quiz.ready(bundled, "zh_Hant")
    model_missed = []
    for at in range(ROUNDS):
        question = quiz.question
        quiz.guess(bundled, quiz.turn, bundled.text((question.truth, *question.rest)))
        if bundled.distribution(question.before).argmax() != question.truth:
            model_missed.append(str(at + 1))
        quiz.next_round(bundled, quiz.turn)
    t = Translator("zh_Hant")
    lines = round_view.data(quiz, bundled, t)["told"]
    assert lines[0] == t("quiz.end.won", you=10, model=10 - len(model_missed), of=10)
    assert lines[1] == t("quiz.end.you_alone", rounds="、".join(model_missed))


def test_choosing_goes_by_the_options_alone(bundled: Model) -> None:
    quiz = QuizState(mode="choose")
    quiz.ready(bundled, "en")
    data = round_view.data(quiz, bundled, Translator("en"))
    offered = [token for token, _ in data["options"]]
    assert len(offered) == 4 and quiz.question.truth in offered
    outside = next(i for i in range(1, 100) if i not in offered)
    quiz.choose_option(bundled, quiz.turn, outside)
    quiz.choose_option(bundled, quiz.turn - 1, offered[0])
    assert not quiz.outcomes
    quiz.choose_option(bundled, quiz.turn, offered[2])
    quiz.choose_option(bundled, quiz.turn, offered[1])
    assert [(o.guess.token_ids, o.options) for o in quiz.outcomes] == [((offered[2],), 4)]
    assert score_game(quiz.outcomes).chance_hits == 1 / 4


def test_a_guess_that_was_refused_is_not_held_against_a_choice(bundled: Model) -> None:
    quiz = QuizState()
    quiz.ready(bundled, "zh_Hant")
    t = Translator("zh_Hant")
    quiz.guess(bundled, quiz.turn, "")
    quiz.set_mode("type")
    assert round_view.data(quiz, bundled, t)["problem"]
    quiz.set_mode("choose")
    assert not round_view.data(quiz, bundled, t)["problem"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_answer_is_told_as_a_chance_before_bits_are_explained(bundled: Model, language: str) -> None:
    quiz, t = QuizState(), Translator(language)
    quiz.ready(bundled, language)
    for _ in range(4):
        quiz.guess(bundled, quiz.turn, "龘")
        told = round_view.data(quiz, bundled, t)["told"][-1]
        assert wording.format_chance(quiz.outcomes[-1].truth.probability, t) in told
        assert t("quiz.word.bits") not in told
        quiz.next_round(bundled, quiz.turn)
    assert wording.format_chance(0.00613, Translator("en")).replace("\xa0", " ") == "0.61% (1 in 160)"
    assert wording.format_chance(0.00613, Translator("zh_Hant")).replace("\xa0", " ") == "0.61%（160 分之 1）"
    assert [wording.format_chance(p, t) for p in (0.5, 0.00002, 0)] == [t.percent(p) for p in (0.5, 0.00002, 0)]


def test_one_sign_for_each_series_in_tables_chart_and_legends() -> None:
    code = Path(round_view.__file__).with_suffix(".js").read_text("utf-8")
    signs = dict(re.findall(r'(\w+): "(.)"', code.split("const SIGNS", 1)[1].split("\n", 1)[0]))
    shapes = {"▶": "triangle-right", "●": "circle", "◆": "diamond"}
    drawn = str(bits_chart.specification(False, ("a", "b", "c"), ("x", "y", "z")))
    assert str([shapes[signs[name]] for name in bits_chart.SERIES]) in drawn
    for language in LANGUAGES:
        for key in ("quiz.word.legend", "quiz.chart.note"):
            assert all(sign in Translator(language)(key) for sign in signs.values())


def test_moves_out_of_date_do_nothing_and_bad_ones_lose_nothing(bundled: Model) -> None:
    quiz = QuizState()
    quiz.ready(bundled, "zh_Hant")
    turn = quiz.turn
    quiz.next_round(bundled, turn)
    quiz.guess(bundled, turn - 1, "的")
    quiz.start_new_game(bundled, turn, "en")
    assert (quiz.round_index, quiz.outcomes, quiz.turn) == (0, [], turn)
    for typed, code in (("", "quiz_empty"), (" \n\u3000", "quiz_empty"), ("\ud800", "surrogate")):
        quiz.guess(bundled, turn, typed)
        assert quiz.problem is not None and quiz.problem.code == code
        assert not quiz.outcomes and quiz.draft == typed
        assert round_view.data(quiz, bundled, Translator("en"))["problem"]
    quiz.set_draft(turn, "字" * 300)
    quiz.guess(bundled, turn, "字" * 300)
    assert quiz.problem is None and len(quiz.outcomes) == 1
    quiz.set_draft(turn, "too late")
    assert quiz.draft == "字" * 300
    quiz.ready(bundled, "en")  # a new language does not restart a game
    assert quiz.language == "zh_Hant" and len(quiz.outcomes) == 1


def test_another_model_begins_again(bundled: Model, model: Model) -> None:
    quiz = QuizState()
    quiz.ready(bundled, "en")
    play(quiz, bundled, "en")
    quiz.ready(model, "en")
    assert quiz.model_name == model.name and not quiz.outcomes and len(quiz.questions) == ROUNDS
    quiz.guess(bundled, quiz.turn, "the")  # a late answer for the previous model
    assert not quiz.outcomes


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_of_ones_own(language: str) -> None:
    app = opened(language)
    quiz = quiz_of(app)
    for bad in ("", "  ", "太短了", "字", "字" * 20_001, LONG * 20):
        app.text_area(key="quiz_own").set_value(bad)
        app.button(key="quiz_bring").click().run()
        assert len(app.error) == 1 and not app.exception and not quiz.own_text
        assert app.text_area(key="quiz_own").value == bad
    quiz.use_own_text(model_registry.request().result(), language, LONG + "\ud800")
    app.run()
    assert len(app.error) == 1 and not app.exception
    app.text_area(key="quiz_own").set_value(LONG)
    app.button(key="quiz_bring").click().run()
    assert not app.error and quiz.own_text == LONG and len(quiz.questions) == ROUNDS
    lengths = [len(question.before) for question in quiz.questions]
    assert lengths == sorted(set(lengths))  # no question reveals a later answer
    first = list(quiz.questions)
    play(quiz, model_registry.request().result(), language)
    app.run()
    quiz.start_new_game(model_registry.request().result(), quiz.turn, language)
    assert quiz.own_text == LONG and quiz.questions != first
    app.run()
    app.button(key="quiz_leave").click().run()
    assert not app.exception and not quiz.own_text and not quiz.outcomes


def test_nothing_is_lost_on_other_pages() -> None:
    app = opened("zh_Hant")
    quiz, model = quiz_of(app), model_registry.request().result()
    quiz.guess(model, quiz.turn, "的")
    quiz.next_round(model, quiz.turn)
    quiz.set_draft(quiz.turn, "打到一")
    app.segmented_control(key="quiz_mode").set_value("choose").run()
    app.segmented_control(key="quiz_mode").set_value("type").run()
    app.text_area(key="quiz_own").set_value("還沒貼完").run()
    app.switch_page(navigation.path("step")).run()
    app.switch_page(navigation.path("quiz")).run()
    again = quiz_of(app)
    assert (again.round_index, len(again.outcomes), again.draft, again.mode) == (1, 1, "打到一", "type")
    assert round_view.data(again, model, Translator("zh_Hant"))["draft"] == "打到一"
    assert app.text_area(key="quiz_own").value == "還沒貼完"


def test_a_demo_plays_its_own_texts_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_DEMO", "1")
    app = opened("en")
    quiz = quiz_of(app)
    assert app.text_area(key="quiz_own").disabled and app.button(key="quiz_bring").disabled
    hooks = admission._SessionHooks(lambda: "me", lambda _: True, lambda: None, shipped)
    monkeypatch.setattr(admission, "_session_hooks", hooks)
    quiz.use_own_text(model_registry.request().result(), "en", LONG)
    assert quiz.own_text_problem is not None and quiz.own_text_problem.code == "limit_demo" and not quiz.own_text
    play(quiz, model_registry.request().result(), "en")
    assert quiz.finished


def test_rounds_are_paid_for_and_a_refusal_keeps_the_game(monkeypatch: pytest.MonkeyPatch, bundled: Model) -> None:
    hooks = admission._SessionHooks(lambda: "me", lambda _: True, lambda: None, shipped)
    monkeypatch.setattr(admission, "_session_hooks", hooks)
    monkeypatch.setenv("ENGINE_STEPS_PER_MINUTE", "2")
    quiz = QuizState()
    quiz.ready(bundled, "en")
    quiz.guess(bundled, quiz.turn, "the")
    quiz.next_round(bundled, quiz.turn)
    quiz.guess(bundled, quiz.turn, "the")
    quiz.next_round(bundled, quiz.turn)
    assert quiz.problem is not None and quiz.problem.code == "limit_steps"
    assert (quiz.round_index, len(quiz.outcomes)) == (1, 2)
    assert round_view.data(quiz, bundled, Translator("en"))["problem"]
    monkeypatch.setenv("ENGINE_STEPS_PER_MINUTE", "0")
    quiz.next_round(bundled, quiz.turn)
    assert quiz.round_index == 2 and quiz.problem is None


def test_what_is_shown_hides_nothing_and_ends_no_line_early() -> None:
    rng = random.Random(0)
    for text in ("a\nb  c", "\0x\u202ey", "好\u3000的", "👩‍👩‍👧", ""):
        result = readable_text(text)
        assert re.findall(r"[ \n\u3000]", result) == re.findall(r"[ \n\u3000]", text)
        assert not re.search(r"[\0\u202e]", result)
    words = "".join(rng.choice("ab ") for _ in range(200))
    assert readable_text(words) == words
