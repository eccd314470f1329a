"""What cameras do, and what becomes of it: the situations in docs/compatibility.md."""
