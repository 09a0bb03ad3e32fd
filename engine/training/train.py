"""Training of a small Llama model on the CPU, with checkpoints from which an interrupted run resumes.

The learning rate follows a warmup-stable-decay schedule (Hu et al. 2024) with linear decay; during the decay, rows have
the full context length. Every step depends only on the seed and the step number, so a resumed run is identical to an
uninterrupted one. The model's predictions for the lessons' prompts are recorded during training (`learning.json`).
"""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

from engine.training import history
from engine.training.errors import TrainingError
from engine.training.plan import Plan
from engine.training.prepare import Batches
from engine.training.run import Run, read_checkpoint


def _logged_loss(work: Path, step: int) -> float:
    """Last logged loss of a step; NaN if there is none. Lines may be incomplete after an interrupted run."""
    path, loss = work / "loss.jsonl", math.nan
    for line in path.read_text("utf-8").splitlines() if path.is_file() else []:
        if line.startswith(f'{{"step": {step}, ') and line.endswith("}"):
            loss = float(json.loads(line)["loss"])
    return loss


def train(plan: Plan, work: Path, prompts: dict[str, list[int]], compiled: bool, save_minutes: float) -> float:
    """Train up to `plan.steps`, resuming from the checkpoint of the work folder if there is one.

    prompts       token ids by prompt, for `history.record`
    compiled      whether to use `torch.compile`
    save_minutes  time between checkpoints

    Returns the last loss, in nats a token. Raises TrainingError for a checkpoint of other sizes.
    """
    batches = Batches(work, plan.seed)
    checkpoint = read_checkpoint(work)
    if checkpoint:
        from dataclasses import replace

        if replace(checkpoint[2], steps=plan.steps, falling=plan.falling) != plan:
            raise TrainingError(
                f"{work} holds a run with other sizes: {checkpoint[2]}. Use another folder, or the same sizes."
            )
    run = Run(plan, work, compiled)
    if checkpoint:
        run.load(checkpoint[0], checkpoint[1])
        print(f"going on from step {run.step}", flush=True)
    moments = history.moments(plan.steps)
    loss = _logged_loss(work, run.step)
    last_save, started, first = time.monotonic(), time.monotonic(), run.step
    while run.step < plan.steps:
        if run.step in moments:
            history.record(work, run.model, run.step, loss, prompts)
        loss = run.advance(batches)
        with (work / "loss.jsonl").open("a") as log:
            log.write(json.dumps({"step": run.step, "loss": round(loss, 5), "rate": plan.rate(run.step - 1)}) + "\n")
        if run.step % 20 == 0 or run.step == plan.steps:
            seconds = (time.monotonic() - started) / (run.step - first)  # a step
            left = seconds * (plan.steps - run.step) / 60
            print(
                f"step {run.step}/{plan.steps}  loss {loss:.3f}  {seconds:.2f} s a step  {left:.0f} min left",
                flush=True,
            )
        if time.monotonic() - last_save > 60 * save_minutes:
            run.save()
            last_save = time.monotonic()
    run.save()
    history.record(work, run.model, run.step, loss, prompts)
    return loss
