"""How a command of the command line may end."""

DONE, FAILED, WRONG_USE = 0, 1, 2
