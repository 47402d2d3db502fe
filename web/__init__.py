"""The second floor, right: pages for screens and browsers. Nothing lives here yet."""
