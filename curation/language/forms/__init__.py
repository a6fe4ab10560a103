"""Form-like lines of a report: label and value, tick boxes, plus and minus, cells of tables; read as what they say."""
