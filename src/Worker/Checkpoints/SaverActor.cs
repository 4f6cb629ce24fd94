using Convoy.Actors;
using Convoy.Shared;
using Convoy.Shared.Checkpoints;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Storage;
using Convoy.Worker.Node;
using Convoy.Worker.Training;

namespace Convoy.Worker.Checkpoints;

/// <summary>
/// Writes shards behind training, on a thread of its own. A failed write is reported and training goes on (R11);
/// nothing is visible to readers before the coordinator publishes the whole.
/// </summary>
internal sealed class SaverActor : ReceiveActor
{
    public SaverActor(IActorRef trainer, string root, IDisk disk)
    {
        var store = new CheckpointStore(root, disk);
        Receive<WriteShard>(m => trainer.Tell(Write(store, m), Self));
        Receive<WriteAlone>(m =>
            trainer.Tell(WriteAlone(new CheckpointStore(root, disk) { Writer = m.Writer }, m), Self));
    }

    private static StateSaved WriteAlone(CheckpointStore store, WriteAlone m)
    {
        var (step, generation) = (new StepNumber(m.Manifest.Step), new Generation(m.Manifest.Generation));
        try
        {
            var shard = store.WriteShard(step, generation, 0, 1, m.Tensors);
            var without = m.Rows is { } rows ? WriteRows(store, step, generation, rows) : "";
            var place = store.Publish(m.Manifest with { Shards = [shard] });
            return new StateSaved($"state {step} is saved as {place.Path}{without}, --resume goes on from it");
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException or UserException)
        {
            return new StateSaved($"state {step} is not saved: {cause.Message.ReplaceLineEndings(" ")}");
        }
    }

    /// <summary>A state is worth saving where there is no room for its rows.</summary>
    private static string WriteRows(CheckpointStore store, StepNumber step, Generation generation, SavedRows rows)
    {
        try
        {
            store.WriteRows(step, generation, rows);
            return "";
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            return $" (without the rows of its steps: {cause.Message.ReplaceLineEndings(" ")})";
        }
    }

    private static ShardEnded Write(CheckpointStore store, WriteShard m)
    {
        try
        {
            var file = store.WriteShard(m.Step, m.Generation, m.Index, m.Count, m.Tensors);
            return new ShardEnded(m.Generation, m.Step, new ShardSaved
            {
                Generation = m.Generation.Value, Step = m.Step.Value, Index = m.Index, Count = m.Count,
                File = file.File,
                Sha256 = Google.Protobuf.ByteString.CopyFrom(Convert.FromHexString(file.Sha256)), Bytes = file.Bytes,
                Fingerprint = m.Fingerprint.Value, StallUs = m.StallUs,
            }, null);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException or UserException)
        {
            return new ShardEnded(m.Generation, m.Step, null, new ShardFailed
            {
                Generation = m.Generation.Value, Step = m.Step.Value, Index = m.Index,
                Text = cause.Message.ReplaceLineEndings(" "),
            });
        }
        finally
        {
            m.Written();
        }
    }
}
