"""How the bundled model was made: texts → tokenizer → token arrays → weights → evaluation.

Run `python -m engine.training --help`. Nothing here is imported by the app: it only reads what `export` wrote.
"""
