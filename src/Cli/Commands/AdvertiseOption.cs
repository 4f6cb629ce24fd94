using System.CommandLine;

namespace Convoy.Cli.Commands;

/// <summary>
/// Which addresses other machines are told, where this one cannot know (behind a router, in a container).
/// </summary>
internal sealed class AdvertiseOption : Option<string?>
{
    public AdvertiseOption() : base("--advertise")
    {
        Description =
            "Addresses that others are told to dial, with commas, best first. Without it: where it listens; on 0.0.0.0 every address of this machine.";
        HelpName = "HOST[:PORT],...";
    }
}
