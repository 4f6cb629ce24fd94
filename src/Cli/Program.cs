using Convoy.Cli.Terminal;

return await Convoy.Cli.CommandLine.RunAsync(args, CliStreams.Process(), TimeProvider.System);
