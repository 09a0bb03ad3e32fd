"""Training of a small Llama model on the CPU or a GPU; an interrupted run resumes from its last checkpoint.

The learning rate follows a warmup-stable-decay schedule (Hu et al. 2024) with linear decay; during the decay, rows have
the full context length. Every step depends only on the seed and the step number, so a resumed run is identical to an
uninterrupted one. The model's predictions for some prompts are recorded during training (`history.py`).
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from engine.training import checkpoint, history
from engine.training.errors import TrainingError
from engine.training.plan import Plan
from engine.training.prepare import Batches
from engine.training.run import Hardware, Run


def _logged_loss(work: Path, step: int) -> float:
    """Last logged loss of a step; NaN if there is none. Lines may be incomplete after an interrupted run."""
    path, loss = work / "loss.jsonl", math.nan
    for line in path.read_text("utf-8").splitlines() if path.is_file() else []:
        if line.startswith(f'{{"step": {step}, ') and line.endswith("}"):
            loss = float(json.loads(line)["loss"])
    return loss


def resume(plan: Plan, work: Path, begin: Callable[[], Run]) -> Run:
    """Run at the newest checkpoint of the work folder, or at its beginning. Raises TrainingError for other sizes."""
    found = checkpoint.read(work)
    if found and replace(found.plan, steps=plan.steps, falling=plan.falling) != plan:
        raise TrainingError(
            f"{work} holds a run with other sizes: {found.plan}. Use another folder, or the same sizes."
        )
    run = begin()
    if found:
        run.restore(found.tensors, found.step)
        anew = "" if run.first_step < run.step else " with its weights alone; the optimisers begin again"
        print(f"going on from step {run.step}{anew}", flush=True)
    return run


def train(
    plan: Plan, work: Path, prompts: dict[str, list[int]], hardware: Hardware, save_minutes: float, minutes: float
) -> int:
    """Train up to `plan.steps`, resuming from the checkpoint of the work folder if there is one.

    prompts       token ids by prompt, for `history.record`
    save_minutes  time between checkpoints
    minutes       time after which to stop, with a checkpoint

    Returns the number of completed steps. Raises TrainingError for a checkpoint of other sizes.
    """
    run = resume(plan, work, lambda: Run(plan, hardware))
    moments = history.moments(plan.steps)

    def record(loss: float) -> None:
        if run.step in moments:
            history.record(work, run.averaged_model, run.step, loss, prompts)

    loss = go_on(run, work, save_minutes, minutes, record)
    if run.step == plan.steps:
        history.record(work, run.averaged_model, run.step, loss, prompts)
    return run.step


def go_on(
    run: Run, work: Path, save_minutes: float, minutes: float, before_step: Callable[[float], None] = lambda loss: None
) -> float:
    """Advance a run to its end, or for so many minutes. Returns the loss of the last step.

    before_step  called before each step with the loss of the one before it
    """
    batches, plan = Batches(work, run.plan.seed), run.plan
    loss = _logged_loss(work, run.step)
    last_save, started, first = time.monotonic(), time.monotonic(), run.step
    while run.step < plan.steps and time.monotonic() - started < 60 * minutes:
        before_step(loss)
        loss = run.advance(batches)
        _log(work, run, loss)
        if run.step % 20 == 0 or run.step == plan.steps:
            _print_progress(run, loss, (time.monotonic() - started) / (run.step - first))
        if time.monotonic() - last_save > 60 * save_minutes:
            checkpoint.save(run, work)
            last_save = time.monotonic()
    checkpoint.save(run, work)
    if run.step < plan.steps:
        print(f"stopped after step {run.step} of {plan.steps}: the same command goes on", flush=True)
    return loss


def _log(work: Path, run: Run, loss: float) -> None:
    """Add a line to `loss.jsonl`: completed steps, loss of the last one, its rate, tokens so far."""
    step, plan = run.step, run.plan
    line = {"step": step, "loss": round(loss, 5), "rate": plan.rate(step - 1, run.first_step)}
    with (work / "loss.jsonl").open("a") as log:
        log.write(json.dumps(line | {"tokens": step * plan.rows * plan.length}) + "\n")


def _print_progress(run: Run, loss: float, seconds: float) -> None:
    """seconds: a step"""
    speed = run.plan.rows * run.plan.length / seconds
    left = seconds * (run.plan.steps - run.step) / 60
    print(f"step {run.step}/{run.plan.steps}  loss {loss:.3f}  {seconds:.3g} s a step  {speed:,.0f} tokens a second  "
          f"{left:.0f} min left", flush=True)  # fmt: skip
