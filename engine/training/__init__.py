"""Training pipeline of the bundled model: texts → tokenizer → token arrays → weights → evaluation.

Run `python -m engine.training --help`. The app imports nothing from here; it only reads the files that `export` wrote.
"""
