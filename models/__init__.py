"""The networks, in pure torch: image encoder, text encoder, connectors and the text-guided segmenter."""
