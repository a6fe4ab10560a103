"""What engines are told, and the anatomy they speak of."""
