namespace Convoy.Cli.Simulation.Checkers;

/// <summary>
/// No queue grows without bound: mailboxes, unacknowledged messages, frames under way, events of the world.
/// </summary>
internal sealed class QueuesChecker : Checker
{
    // A job of this size never has that many of anything in flight; what grows passes these within a run.
    private const int MailboxMax = 2_000;
    private const int UnacknowledgedMax = 4_000;
    private const int BulkMax = 2_000;
    private const int EventsMax = 50_000;

    // A queue that grows without bound is longer a second later.
    private const int LooksBetween = 4;
    private int _looks;

    public override void OnLook()
    {
        if (_looks++ % LooksBetween > 0) return;
        Check(Cluster.World.Waiting <= EventsMax, $"{Cluster.World.Waiting} events wait");
        foreach (var remoting in Cluster.Network.Alive)
        {
            if (remoting.Process.IsStopped) continue; // what comes for a stopped process waits, at its kernel
            var (waiting, actor) = remoting.Process.FullestMailbox();
            Check(waiting <= MailboxMax, $"{waiting} messages wait for {actor}");
            foreach (var peer in remoting.Peers)
            {
                Check(peer.Unacknowledged <= UnacknowledgedMax,
                    $"{peer.Unacknowledged} messages from {remoting.Process} to {peer} wait");
                Check(peer.BulkUnderWay <= BulkMax,
                    $"{peer.BulkUnderWay} frames from {remoting.Process} to {peer} are under way");
            }
        }
    }
}
