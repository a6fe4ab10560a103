"""Image-caption pairs as other trainers read them."""
