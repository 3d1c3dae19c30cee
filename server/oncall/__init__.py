"""On call: who is on duty, whom a call for help rings and after how long, and what is due when."""
