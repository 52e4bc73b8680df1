"""What a shell completes behind the name of a command. It loads neither typer nor the command itself."""
