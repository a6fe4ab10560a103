"""Captions by a language model: from a report to questions, answers, drafts and an outcome.

1. ``recipes.py`` turns the options of the command line into a ``ChatRecipe``: engine, model and prompt.
   ``prompt_checks.py`` refuses a prompt whose examples are not in their own reports.
2. ``pool.py`` (``ChatPool``) takes batches of reports. The model is asked in the event loop of an ``EngineThread``
   (``engine_thread.py``); answers are verified in worker processes meanwhile.
3. ``questions.py`` cuts a report into questions: the whole report, its sections, or a few statements at a time.
4. ``dialogue.py`` asks each question, tries an unusable answer once more, and halves what is too long. Each chat goes
   through ``chat_client.py``, which asks the engine (``curation/engines``) only for what ``answer_store.py`` lacks and
   counts the costs (``usage.py``). The result is a list of ``ModelResponse`` rows (``responses.py``).
5. ``answer_verification.py`` (``AnswerVerifier``) makes the outcome: ``answer_parsing.py`` reads drafts from the JSON,
   ``draft_organs.py`` finds the organ that a draft names, the verifier accepts or refuses it.
6. Refused captions may go back to the model with the reason (``Dialogue.repair``), after which step 5 is repeated.

The outcome follows from report, answers and prompt alone, so ``curation/replay.py`` repeats step 5 from stored answers.
"""
