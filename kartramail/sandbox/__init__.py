"""What makes a try-out whole without a network: the catcher."""
