"""Extraction and verification on a Ray cluster, with the rows that one machine would make.

This process reads reports, sees to it that no text is extracted twice, and writes the parts in order, as it does
without Ray. In between stands one streaming Ray Data job for the whole run:

    batches ─▶ BatchQueue (an actor beside this process) ─▶ read tasks ─▶ workers (tasks or actors) ─▶ outcomes

A batch is known by its number. It stays in the queue until its outcome is here, so a read task or a worker that is lost
is started again by Ray and asks for the same number. The queue counts how often a batch was begun: one that was begun
before is worked on report by report, and a report under which workers die again and again is given up.
"""
