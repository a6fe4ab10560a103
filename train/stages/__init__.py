"""The three stages: pretrain the image encoder, align the text encoder, learn masks from prompts."""
