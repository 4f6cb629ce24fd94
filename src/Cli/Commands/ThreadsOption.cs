using System.CommandLine;
using Convoy.Kernels;
using Convoy.Shared;

namespace Convoy.Cli.Commands;

/// <summary>How many threads compute the kernels of one worker.</summary>
internal sealed class ThreadsOption : Option<int?>
{
    public ThreadsOption(string otherwise) : base("--threads")
    {
        Description =
            $"Threads of each worker's kernels; without it {otherwise}. The weights are the same for any number.";
        HelpName = "N";
    }

    public int Read(ParseResult arguments, int otherwise)
    {
        var threads = arguments.GetValue(this) ?? otherwise;
        if (threads is < 1 or > ThreadTeam.ThreadsMax)
            throw new UserException(ExitCode.Usage, $"--threads {threads} is not within 1 to {ThreadTeam.ThreadsMax}");
        return threads;
    }
}
