"""What the browser gets: pages, health, and the virtual handset."""
