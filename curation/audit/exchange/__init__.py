"""The sample of an audit in the forms of other programs for annotation, and what reviewers made of it there."""
