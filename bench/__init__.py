"""What is measured, side by side. `python -m bench` prints it all as ratios to the floor, with the medians behind them."""
