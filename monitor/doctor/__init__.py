"""What siaga finds when it examines itself; a module for each part of the body."""
