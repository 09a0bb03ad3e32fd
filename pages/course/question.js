// A question with its answers, on the lesson sheet and in the recap; `question` is described in questions.py.

function drawQuestion(question, labels, choose, terms) {
  const box = el("div", "question");
  const answers = el("div", "answers");
  answers.setAttribute("role", "group");
  answers.setAttribute("aria-label", question.ask);
  question.answers.forEach((text, i) => {
    const chosen = i === question.chosen;
    const answer = makeButton(`choice${chosen ? (question.right ? " right" : " wrong") : ""}`, "", () => choose(i));
    answer.append(el("span", "mark", chosen ? (question.right ? "✓" : "✗") : "○"), el("span", "", text));
    answer.setAttribute("aria-pressed", String(chosen));
    answer.dataset.keep = `answer ${question.key ?? ""} ${i}`;
    answers.append(answer);
  });
  const says = el("p", "says");
  says.setAttribute("aria-live", "polite");
  if (question.says) write(says, question.says, {}, terms).prepend(el("b", "", question.right ? labels.right : labels.wrong), " ");
  box.append(answers, says);
  return box;
}
