"""Parts of the drill of a retraining: its world, the moments of its kills, what is there after one."""
