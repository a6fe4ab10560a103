"""What a caption set has missed: statements of its reports that no caption covers, drawn, judged and counted."""
