"""What `ovct mcp` offers to agents: the tools that work on reports and captions, and the files that they may reach."""
