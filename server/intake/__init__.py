"""What phones send sealed: stored first, opened after, and handed to the exchange. It only ever takes in."""
