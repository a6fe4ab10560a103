"""Chats by batch: a server with OpenAI's batch interface answers files of requests within a day, at a lower price."""
