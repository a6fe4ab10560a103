"""What a caption is: normal, abnormal or uncertain, where only a name, a size or a score tells."""
